"""All parts of the backbone in one process, without time: a byte of a schedule says who does its next step, or what fails.

A schedule begins with two bytes that say which kinds of trouble it holds at all ("swarm testing", Groce et al.,
ISSTA 2012): a schedule with every kind of fault in it hardly ever gets anywhere.
"""

from collections.abc import Callable

from tests.simulation.consuming import Phase, Reading, ReadingDatabase
from tests.simulation.event_log import EventLog
from tests.simulation.group import Group
from tests.simulation.relaying import Relay
from tests.simulation.restoring import raise_numbers, settle
from tests.simulation.safeguards import ALL, Safeguards
from tests.simulation.telling import PLACES
from tests.simulation.troubles import Trouble, troubles_of
from tests.simulation.writing import CLOCKS, ProducingDatabase, Writer

WRITERS, RELAYS, MEMBERS = len(CLOCKS), 2, 2
HEADER = 2
# Far more rounds than healing has ever taken.
PATIENCE = 400


class World:
    """The parts, and what a byte makes them do."""

    def __init__(self, header: int, safeguards: Safeguards = ALL) -> None:
        self.troubles = troubles_of(header)
        self.safeguards = safeguards
        self.producing = ProducingDatabase()
        self.log = EventLog()
        self.reading = ReadingDatabase()
        self.producing.keeps_backups = bool(self.troubles & int(Trouble.RESTORED))
        self.writers = [Writer(self.producing, safeguards, clock=clock) for clock in CLOCKS]
        self.relays = [Relay(self.producing, self.log, safeguards) for _ in range(RELAYS)]
        self.group = Group(MEMBERS, self.reading, self.log, safeguards)
        self.steps = 0
        self.at_rest = False
        self.restored = False

    def step(self, byte: int) -> None:
        """Do what a byte stands for, unless it is a trouble that this schedule does not hold."""
        trouble, act, who, choice = TABLE[byte]
        if trouble and not trouble & self.troubles:
            return
        self.steps += 1
        act(self, who, choice)

    def heal(self) -> None:
        """End every trouble, and let everybody work until there is nothing left to do."""
        self.troubles = 0
        for relay in self.relays:
            relay.paused = False
        self._expire()
        self.log.bring_strays()
        for at, place in enumerate(PLACES):
            self._settle(at, place)
        self.drain()

    def drain(self) -> None:
        """Let everybody work until there is nothing left to do."""
        self.at_rest = all(
            self._until_done(work)
            for work in (self._finish_writing, self._finish_sending, self._finish_reading)
        )

    def remedy(self) -> None:
        """Have an operator raise the publisher's numbers, and settle what readers hold."""
        raise_numbers(self.producing, self.log)
        self.drain()
        settle(self.reading)
        self.drain()

    def _settle(self, at: int, place: tuple[str, int]) -> None:
        """Leave a partition to one member, which starts where Postgres says if it has not yet."""
        readers = [number for number in range(MEMBERS) if place in self.group.members[number]] or [
            at % MEMBERS
        ]
        for number in readers[1:]:
            self.group.revoke(number, place)
        self.group.assign(readers[0], place)
        reading = self.group.members[readers[0]][place]
        if not reading.waiting.is_open:
            reading.begin()

    def _until_done(self, work: Callable[[int], bool]) -> bool:
        return any(work(turn) for turn in range(PATIENCE))

    def _finish_writing(self, _: int) -> bool:
        """Have every open transaction do its next step; tell whether none is left."""
        for writer in self.writers:
            if not writer.idle:
                self.steps += 1
                writer.step(0)
        return all(writer.idle for writer in self.writers)

    def _finish_sending(self, turn: int) -> bool:
        """Have relays send and let everything arrive; tell whether nothing is left."""
        for relay in self.relays:
            self.steps += 1
            if turn % 4 == 1:
                relay.balance()
            relay.step()
        while self.log.sendings:
            self.steps += 1
            self.log.land(turn, in_order=self.safeguards.sent_in_order, astray=False)
        return not self.producing.outbox and not any(relay.sending is not None for relay in self.relays)

    def _finish_reading(self, _: int) -> bool:
        """Have consumers read on; tell whether all stand at the end, or stopped."""
        self.steps += len(self.group.readings)
        for reading in self.group.readings:
            reading.step(7)
        return all(self._is_done(reading) for reading in self.group.readings)

    def _is_done(self, reading: Reading) -> bool:
        if reading.stopped:
            return True
        end = len(self.log.records[reading.place])
        return (reading.phase is Phase.POLL and not reading.waiting) and (
            reading.position >= end or self.log.begins[reading.place] == end
        )

    def _nothing(self, _: int, __: int) -> None:
        return

    def _write(self, who: int, choice: int) -> None:
        self.writers[who].step(choice)

    def _abort(self, who: int, _: int) -> None:
        self.writers[who].abort()

    def _relay(self, who: int, _: int) -> None:
        self.relays[who].step()

    def _balance(self, who: int, _: int) -> None:
        self.relays[who].balance()

    def _crash_relay(self, who: int, choice: int) -> None:
        self.relays[who].crash(noticed=bool(choice))

    def _pause(self, who: int, _: int) -> None:
        self.relays[who].paused = not self.relays[who].paused

    def _expire(self, _: int = 0, __: int = 0) -> None:
        """End the sessions that nobody keeps alive (idle_session_timeout, TCP keepalives)."""
        for session in list(self.producing.present):
            if not any(relay.holds(session) for relay in self.relays):
                self.producing.end_session(session)

    def _end_session(self, who: int, _: int) -> None:
        """End a session that is at work (pg_terminate_backend, a restart of Postgres, a proxy)."""
        session = self.relays[who].session
        if session is not None:
            self.producing.end_session(session)

    def _land(self, _: int, choice: int) -> None:
        self.log.land(choice, in_order=self.safeguards.sent_in_order, astray=False)

    def _stray(self, _: int, choice: int) -> None:
        if self.log.strays:
            self.log.bring_strays()
        else:
            self.log.land(choice, in_order=True, astray=True)

    def _cut(self, _: int, choice: int) -> None:
        awaited = [relay.sending for relay in self.relays]
        orphans = [sending for sending in self.log.sendings if sending not in awaited]
        if orphans:
            self.log.cut(orphans[choice % len(orphans)], choice)

    def _refuse(self, _: int, choice: int) -> None:
        self.log.refuse(
            choice // 2, answer_lost=bool(choice % 2), in_turn=self.safeguards.one_batch_at_a_time
        )

    def _read(self, _: int, choice: int) -> None:
        readings = self.group.readings
        if readings:
            readings[choice % len(readings)].step(choice // 8)

    def _begin(self, who: int, choice: int) -> None:
        reading = self.group.members[who].get(PLACES[choice])
        if reading is not None and not reading.waiting.is_open:
            reading.begin()

    def _lose_transaction(self, who: int, choice: int) -> None:
        reading = self.group.members[who].get(PLACES[choice])
        if reading is not None:
            reading.lose_transaction()

    def _crash_member(self, who: int, _: int) -> None:
        self.group.crash(who)

    def _assign(self, who: int, choice: int) -> None:
        """Give a member a partition, whose start it looks up at once or, when that is refused, later."""
        reading = self.group.assign(who, PLACES[choice % len(PLACES)])
        if reading is not None and choice < len(PLACES):
            reading.begin()

    def _stay(self, who: int, choice: int) -> None:
        self.group.stay(who, PLACES[choice])

    def _revoke(self, who: int, choice: int) -> None:
        self.group.revoke(who, PLACES[choice])

    def _hint(self, who: int, choice: int) -> None:
        self.group.hint(who, PLACES[choice])

    def _move_position(self, where: int, choice: int) -> None:
        """Have the group's position be wrong, at the start, near the end or at the end, until it is looked up."""
        place = PLACES[choice]
        end = len(self.log.records[place])
        self.group.committed[place] = (0, max(0, end - 1), end)[where]
        for member in range(MEMBERS):
            if place in self.group.members[member]:
                self.group.revoke(member, place)
                self.group.assign(member, place)

    def _restore(self, commits: int, choice: int) -> None:
        """Have the services that write stopped, and their database restored to an earlier moment.

        What is under way arrives or not; what ran is gone.
        """
        for writer in self.writers:
            writer.abort()
        while self.log.sendings:
            if choice:
                self.log.land(0, in_order=True, astray=False)
            else:
                self.log.cut(self.log.sendings[0], 0)
        for relay in self.relays:
            relay.crash(noticed=True)
        self.producing.restore(commits)
        self.restored = True

    def _raise(self, _: int, __: int) -> None:
        if self.restored:
            raise_numbers(self.producing, self.log)

    def _truncate(self, _: int, choice: int) -> None:
        self.log.truncate(PLACES[choice], 2)


Act = Callable[[World, int, int], None]
Slot = tuple[int, Act, int, int]


def _table() -> list[Slot]:
    """Return what each byte stands for."""
    none, places = Trouble.NONE, range(len(PLACES))
    pairs = [(member, place) for member in range(MEMBERS) for place in places]
    table: list[Slot] = []

    def slots(trouble: Trouble, act: Act, chosen: list[tuple[int, int]]) -> None:
        # Plain numbers: flags take ten times as long to compare.
        table.extend((int(trouble), act, who, choice) for who, choice in chosen)

    # Shrinking turns what a violation does not need into noughts.
    slots(none, World._nothing, [(0, 0)])
    slots(none, World._write, [(who, choice) for who in range(WRITERS) for choice in range(16)])
    slots(none, World._relay, [(who, 0) for who in range(RELAYS) for _ in range(15)])
    slots(none, World._land, [(0, choice) for choice in range(16)])
    slots(none, World._read, [(0, choice) for choice in range(50)])
    slots(none, World._begin, pairs)
    slots(none, World._hint, pairs)
    slots(Trouble.ABORTS, World._abort, [(who, 0) for who in range(WRITERS)])
    slots(Trouble.RELAY_DIES, World._crash_relay, [(who, seen) for who in range(RELAYS) for seen in (0, 1)])
    slots(Trouble.RELAY_PAUSES, World._pause, [(who, 0) for who in range(RELAYS) for _ in range(2)])
    slots(Trouble.RELAY_DIES | Trouble.RELAY_PAUSES, World._expire, [(0, 0)] * 4)
    slots(Trouble.BROKER_REFUSES, World._refuse, [(0, choice) for choice in range(4)])
    slots(Trouble.BALANCE, World._balance, [(who, 0) for who in range(RELAYS) for _ in range(2)])
    slots(Trouble.CONSUMER_DIES, World._crash_member, [(who, 0) for who in range(MEMBERS) for _ in range(2)])
    refused = [(member, len(PLACES) + place) for member, place in pairs]
    slots(Trouble.REBALANCE | Trouble.CONSUMER_DIES, World._assign, pairs + refused)
    slots(Trouble.REBALANCE, World._revoke, pairs)
    slots(Trouble.REBALANCE, World._stay, pairs)
    slots(Trouble.TRANSACTION_LOST, World._lose_transaction, pairs)
    slots(
        Trouble.STALE_POSITION,
        World._move_position,
        [(where, place) for where in range(3) for place in places],
    )
    slots(Trouble.STRAYS, World._stray, [(0, choice) for choice in range(12)])
    ended = Trouble.RELAY_DIES | Trouble.RELAY_PAUSES | Trouble.SESSION_ENDED
    slots(ended, World._cut, [(0, choice) for choice in range(3)])
    slots(Trouble.SESSION_ENDED, World._end_session, [(who, 0) for who in range(RELAYS) for _ in range(2)])
    slots(
        Trouble.RESTORED, World._restore, [(commits, arrives) for commits in (1, 2, 4) for arrives in (0, 1)]
    )
    slots(Trouble.RESTORED, World._raise, [(0, 0)] * 2)
    slots(Trouble.TRUNCATION, World._truncate, [(0, place) for place in places] * 2)
    slots(none, World._land, [(0, choice) for choice in range(256 - len(table))])
    if len(table) != 256:
        raise ValueError(f"a byte has 256 values, not {len(table)}")
    return table


TABLE = _table()
