"""A model of the producing database, and of the transactions that write to it."""

from collections import Counter
from typing import NamedTuple

from shared.db.outbox import number
from tests.simulation.safeguards import Safeguards
from tests.simulation.telling import EVENTS, FACTS, KEYS, Told, bucket_of

ASH, ELM, OAK = ((EVENTS, key) for key in KEYS)
# What a transaction may announce. None is a fact, an aggregate of its own.
ANNOUNCEMENTS: tuple[tuple[tuple[str, str] | None, ...], ...] = (
    (ASH,),
    (ELM,),
    (OAK,),
    (ELM, ELM),
    (OAK, ELM),
    (ASH, OAK, OAK),
    (None, ELM),
    (None,),
)
# Milliseconds between two inserts; how far each writer's clock is off; how long a restore takes, which is longer.
TICK = 10
CLOCKS = (0, -25, 25)
RESTORE_TICKS = 10


class Backup(NamedTuple):
    """What a database held at a moment."""

    versions: dict[tuple[str, str], int]
    outbox: dict[int, dict[int, Told]]
    last_seq: int
    acknowledged: int


class ProducingDatabase:
    """What is committed, and who holds which lock."""

    def __init__(self) -> None:
        # aggregate_versions.last_version, and FOR UPDATE on its rows until the end of a transaction.
        self.versions: dict[tuple[str, str], int] = {}
        self.writing: dict[tuple[str, str], Writer] = {}
        # Of the outbox, what any session sees: seq -> event, by bucket.
        self.outbox: dict[int, dict[int, Told]] = {}
        self.last_seq = 0
        # pg_advisory locks: bucket -> session, and the shared one that counts who is present.
        self.leases: dict[int, int] = {}
        self.present: set[int] = set()
        self.last_session = 0
        # Of commands, how each ended.
        self.last_command = 0
        self.acknowledged: list[int] = []
        self.failed: set[int] = set()
        self.ticks = 0
        # Moments to go back to, where a schedule holds that.
        self.keeps_backups = False
        self.backups: list[Backup] = [Backup({}, {}, 0, 0)]
        # How often an event may be in the log once more, because its row came back.
        self.came_back: Counter[str] = Counter()

    def now(self, clock: int) -> int:
        """Return the millisecond by a clock that is so far off."""
        self.ticks += 1
        return self.ticks * TICK + clock

    def back_up(self) -> None:
        """Keep what is committed."""
        if self.keeps_backups:
            outbox = {bucket: dict(rows) for bucket, rows in self.outbox.items()}
            self.backups.append(Backup(dict(self.versions), outbox, self.last_seq, len(self.acknowledged)))

    def restore(self, commits: int) -> None:
        """Go back by so many commits: what was told is forgotten, what was deleted as sent is there again."""
        del self.backups[max(1, len(self.backups) - commits) :]
        backup = self.backups[-1]
        waiting = {told for rows in self.outbox.values() for told in rows.values()}
        self.came_back.update(
            told.event_id for rows in backup.outbox.values() for told in rows.values() if told not in waiting
        )
        self.versions = dict(backup.versions)
        self.outbox = {bucket: dict(rows) for bucket, rows in backup.outbox.items()}
        self.last_seq = backup.last_seq
        del self.acknowledged[backup.acknowledged :]
        self.writing.clear()
        self.leases.clear()
        self.present.clear()
        self.ticks += RESTORE_TICKS

    def add(self, told: Told) -> None:
        """Stand for INSERT INTO outbox, by an operator's verb."""
        self.outbox.setdefault(bucket_of(told.key), {})[self.next_seq()] = told

    def next_seq(self) -> int:
        """Draw from the identity column's sequence, which no transaction takes back."""
        self.last_seq += 1
        return self.last_seq

    def connect(self) -> int:
        """Begin a session: SELECT pg_advisory_lock_shared(...) makes it count."""
        self.last_session += 1
        self.present.add(self.last_session)
        return self.last_session

    def end_session(self, session: int) -> None:
        """End a session, and with it its locks (idle_session_timeout, a closed connection)."""
        self.present.discard(session)
        self.leases = {bucket: owner for bucket, owner in self.leases.items() if owner != session}

    def fetch(self, buckets: list[int], limit: int) -> list[tuple[int, Told]]:
        """Stand for relay.FETCH: per bucket, the first rows by seq."""
        found: list[tuple[int, Told]] = []
        for bucket in sorted(self.outbox.keys() & set(buckets)):
            found += sorted(self.outbox[bucket].items())[:limit]
        return found

    def delete(self, rows: list[tuple[int, Told]]) -> None:
        """Stand for relay._DELETE; a row that is gone is no error."""
        for seq, told in rows:
            bucket = bucket_of(told.key)
            kept = self.outbox.get(bucket, {})
            kept.pop(seq, None)
            if not kept:
                self.outbox.pop(bucket, None)


class Writer:
    """One transaction after another: lock the aggregates, number, insert, commit. Stands for outbox._APPEND."""

    def __init__(self, database: ProducingDatabase, safeguards: Safeguards, *, clock: int = 0) -> None:
        self._database = database
        self._safeguards = safeguards
        self._clock = clock
        self._forget()

    def _forget(self) -> None:
        self._command = 0
        self._announced: list[tuple[str, str]] = []
        self._ordinals: list[int] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._to_lock: list[tuple[str, str]] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._rows: list[tuple[int, Told]] = []

    @property
    def idle(self) -> bool:
        """Tell whether no transaction is open."""
        return not self._command

    def step(self, choice: int) -> None:
        """Do the next thing."""
        if self.idle:
            self._begin(choice)
        elif self._to_lock:
            self._lock(self._to_lock[0])
        elif not self._rows:
            self._insert()
        else:
            self._commit()

    def abort(self) -> None:
        """Roll back: what was drawn from the sequence stays drawn."""
        if self.idle:
            return
        self._database.failed.add(self._command)
        self._end()

    def _begin(self, choice: int) -> None:
        self._database.last_command += 1
        self._command = self._database.last_command
        fact = (FACTS, f"fact-{self._command}")
        self._announced = [place or fact for place in ANNOUNCEMENTS[choice % len(ANNOUNCEMENTS)]]
        self._counts, self._ordinals = number(self._announced, {fact})
        # The statement locks in this order, so that no two of them ever wait for each other.
        self._to_lock = sorted(self._counts)

    def _lock(self, place: tuple[str, str]) -> None:
        database = self._database
        if self._safeguards.aggregate_lock:
            if database.writing.setdefault(place, self) is not self:
                return
            self._numbers[place] = database.versions.get(place, 0) + self._counts[place]
        else:
            # As if the number came from a sequence: nobody waits, nothing is taken back.
            database.versions[place] = database.versions.get(place, 0) + self._counts[place]
            self._numbers[place] = database.versions[place]
        self._to_lock.pop(0)

    def _insert(self) -> None:
        # INSERT ... SELECT ... ORDER BY topic, key, ordinal draws seq in that order.
        places = zip(self._announced, self._ordinals, strict=True)
        made_at = self._database.now(self._clock)
        for at, (place, ordinal) in enumerate(sorted(places)):
            version = self._numbers[place] + ordinal if place in self._numbers else 1
            told = Told(*place, version, self._command, at, made_at)
            self._rows.append((self._database.next_seq(), told))

    def _commit(self) -> None:
        database = self._database
        if self._safeguards.aggregate_lock:
            database.versions.update(self._numbers)
        for seq, told in self._rows:
            database.outbox.setdefault(bucket_of(told.key), {})[seq] = told
        database.acknowledged.append(self._command)
        database.back_up()
        self._end()

    def _end(self) -> None:
        for place in self._numbers:
            self._database.writing.pop(place, None)
        self._forget()
