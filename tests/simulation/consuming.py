"""A model of a consumer group over one database: the steps between a poll and a commit, in the product's words."""

from enum import Enum, auto

from shared.contracts.envelope import Envelope
from shared.messaging import classification, positions
from shared.messaging.batches import _kind_of
from shared.messaging.classification import KeyState, ParkReason, Plan
from shared.messaging.decoding import Decoded
from shared.messaging.divergence import KnownIds
from shared.messaging.layering import layers
from shared.messaging.positions import GapAnswer, OffsetGap
from shared.messaging.waiting import Waiting
from tests.faults.checks import Applied
from tests.simulation.event_log import EventLog
from tests.simulation.safeguards import Safeguards
from tests.simulation.telling import SUBSCRIPTIONS, Place

Key = tuple[str, str]


class ReadingDatabase:
    """What a consumer's schema holds, committed; and the locks on its progress rows."""

    def __init__(self) -> None:
        self.next_offsets: dict[Place, int] = {}
        self.begun_at: dict[Place, int] = {}
        self.locked: dict[Place, Reading] = {}
        self.watermarks: dict[Key, int] = {}
        # consumer_watermarks.last_event_id and highest_event_id.
        self.ids: dict[Key, tuple[str | None, str | None]] = {}
        self.parked_keys: dict[Key, ParkReason] = {}
        self.parked_records: dict[Key, dict[int, Decoded]] = {}
        self.effects: list[Applied] = []

    def begin(self, place: Place, *, at: int) -> int:
        """Stand for Batches.begin: record where a partition starts, unless that is known; return where to read."""
        self.begun_at.setdefault(place, at)
        return self.next_offsets.setdefault(place, at)

    def read_keys(self, topic: str, fresh: list[Decoded]) -> dict[str, KeyState]:
        """Stand for Progress.read_keys and read_ids, and Batches.load_queues."""
        keys = {each.key for each in fresh if each.key is not None}
        states = {}
        for key in keys:
            name = (topic, key)
            if name in self.watermarks or name in self.parked_keys:
                state = KeyState(self.watermarks.get(name, 0), self.parked_keys.get(name))
                if state.parked not in {None, ParkReason.DIVERGED}:
                    state.queue = {d.version or 0: d for d in self.parked_records.get(name, {}).values()}
                states[key] = state
        for key, state in classification.told_before(fresh, states).items():
            state.ids = self.read_ids((topic, key))
        return states

    def read_ids(self, name: Key) -> KnownIds:
        """Stand for Progress.read_ids."""
        return KnownIds(*self.ids.get(name, (None, None)))

    def write_effects(self, topic: str, plan: Plan) -> None:
        """Stand for the handlers, called as Batches.run_handlers calls them: they list what they were told."""
        ordered = SUBSCRIPTIONS[topic].order != "none"
        calls = layers(
            plan.apply,
            kind_of=_kind_of,
            key_of=lambda d: d.key if ordered else None,
        )
        self.effects += [_effect(each) for _, batch in calls for each in batch]

    def write_keys(self, topic: str, plan: Plan) -> None:
        """Stand for Progress.write_watermarks, Parking.park and Parking.write_keys."""
        for key, state in plan.watermarks().items():
            self.write_watermark((topic, key), state)
        for each in plan.park.values():
            self.parked_records.setdefault((topic, each.key or ""), {})[each.record.offset] = each
        for key, state in plan.waiting().items():
            self.write_parked((topic, key), state)

    def write_watermark(self, name: Key, state: KeyState) -> None:
        """Stand for Progress.write_watermarks: the highest id rises from what is stored."""
        self.watermarks[name] = state.seen
        known = self.ids.get(name, (None, None))[1]
        told = [each for each in (known, state.ids.highest, state.ids.last) if each is not None]
        self.ids[name] = (state.ids.last, max(told, default=None))

    def write_parked(self, name: Key, state: KeyState) -> None:
        """Stand for Parking.write_keys."""
        if state.parked is None:
            self.parked_keys.pop(name, None)
        else:
            self.parked_keys[name] = state.parked
        if state.parked is not ParkReason.DIVERGED:
            waiting = self.parked_records.pop(name, {})
            left = {at: each for at, each in waiting.items() if (each.version or 0) > state.seen}
            if left:
                self.parked_records[name] = left


def _effect(each: Decoded) -> Applied:
    record, content = each.record, each.content
    envelope: Envelope = content.envelope  # type: ignore[union-attr]
    version = envelope.aggregateversion or 0
    return Applied(record.topic, record.partition, record.offset, each.key or "", version, envelope.id)


# A choice that has a partition polled, of so many records, which is busy or whose position is not looked up yet.
_POLLS = {5: 1, 6: 2}


class Phase(Enum):
    """What a reading does next."""

    POLL = auto()
    PLAN = auto()
    COMMIT = auto()
    FOLLOW = auto()


class Reading:
    """One member's way through one partition. Stands for reader.PartitionReader over Batches._commit."""

    __slots__ = (
        "_accept_hole", "_database", "_fresh", "_log", "_plan", "_polled", "_safeguards", "_seeks", "_sought", "applied_to",
        "phase", "place", "position", "records", "stopped", "waiting",
    )  # fmt: skip

    def __init__(
        self, place: Place, position: int, database: ReadingDatabase, log: EventLog, safeguards: Safeguards
    ) -> None:
        self.place = place
        self.position = position
        self.waiting = Waiting()
        self.phase = Phase.POLL
        self.stopped = False
        self.applied_to: int | None = None
        self.records: list[Decoded] = []
        self._database = database
        self._log = log
        self._safeguards = safeguards
        self._sought: int | None = None
        self._seeks = 0
        self._plan: Plan | None = None
        self._polled: dict[int, Decoded] = {}
        self._fresh: list[Decoded] = []
        self._accept_hole = False

    def begin(self) -> None:
        """Start where Postgres says (PartitionReader.begin); what was handed out before was dropped."""
        self._sought, self._seeks = None, 0
        self._seek(self._database.begin(self.place, at=self._log.begins[self.place]))
        if not self.stopped:
            self.waiting.open()

    def stay(self, position: int) -> None:
        """Be given the partition anew by a rebalance that left it here: the position is the group's until `begin`."""
        self.waiting.close()
        self.position = position

    def step(self, choice: int) -> None:
        """Do the next thing."""
        if self.stopped:
            return
        if self.phase is Phase.POLL:
            # A position that cannot be looked up is no reason for the client to poll nothing.
            if not self.waiting.is_open and choice not in _POLLS:
                self.begin()
            if not self.waiting:
                self._poll(1 + choice % 8)
            self._take()
        elif choice in _POLLS:
            self._poll(_POLLS[choice])
        elif self.phase is Phase.PLAN:
            self._lock_and_plan()
        elif self.phase is Phase.COMMIT:
            self._commit()
        else:
            self._follow()

    def lose_transaction(self) -> None:
        """Have the database end the session: nothing is committed, the batch is tried again."""
        if self.phase is Phase.COMMIT:
            self._unlock()
            self.phase = Phase.PLAN
        elif self.phase is Phase.FOLLOW:
            self.phase = Phase.POLL

    def leave(self) -> None:
        """End in the middle of whatever was under way."""
        if self.phase is Phase.COMMIT:
            self._unlock()

    def _poll(self, limit: int) -> None:
        polled = self._log.read(self.place, self.position, limit)
        if polled:
            self.position = polled[-1].record.offset + 1
            self.waiting.put([each.record for each in polled])
            self._polled.update((each.record.offset, each) for each in polled)

    def _take(self) -> None:
        if self.waiting:
            self.records = [self._polled[record.offset] for record in self.waiting.take()]
            self._accept_hole = False
            self.phase = Phase.PLAN

    def _lock_and_plan(self) -> None:
        database, place = self._database, self.place
        # SELECT next_offset FROM consumer_offsets ... FOR UPDATE: others wait, and then see what was committed.
        if self._safeguards.progress_lock and database.locked.setdefault(place, self) is not self:
            return
        next_offset = database.next_offsets.get(place)
        if next_offset is None:
            self._unlock()
            self._seek(database.begin(place, at=self._log.begins[place]))
            return
        fresh = positions.not_applied(self.records, next_offset)
        if not fresh:
            self._unlock()
            self._note(next_offset)
            return
        topic = place[0]
        order = SUBSCRIPTIONS[topic].order
        if not self._accept_hole:
            try:
                positions.require_no_gap(fresh, next_offset, order)
            except OffsetGap as gap:
                self._unlock()
                self._meet_gap(gap)
                return
        states = database.read_keys(topic, fresh) if order != "none" else {}
        self._plan = classification.classify(fresh, states, order)
        self._fresh = fresh
        self.phase = Phase.COMMIT

    def _meet_gap(self, gap: OffsetGap) -> None:
        begins, order = self._log.begins[self.place], SUBSCRIPTIONS[self.place[0]].order
        seeks = self._seeks if self._sought == gap.expected else 0
        answer = positions.answer_gap(gap.expected, seeks=seeks, begins=begins, order=order)
        if answer is GapAnswer.SEEK:
            self._sought, self._seeks = gap.expected, seeks + 1
            self._seek(gap.expected)
            self.phase = Phase.POLL
        elif answer is GapAnswer.STOP:
            self.stopped = True
            self.waiting.close()
            self.phase = Phase.POLL
        else:
            self._accept_hole = True

    def _commit(self) -> None:
        """Write what was planned, all of it in one transaction unless that is what was taken out."""
        if self._safeguards.advance == "before":
            self._advance()
        else:
            self._write()
        if self._safeguards.advance == "together":
            self._advance()
            self._unlock()
            self._note(self._fresh[-1].record.offset + 1)
        else:
            self._unlock()
            self.phase = Phase.FOLLOW

    def _follow(self) -> None:
        """Commit the other half, where the two were taken apart."""
        if self._safeguards.advance == "before":
            self._write()
        else:
            self._advance()
        self._note(self._fresh[-1].record.offset + 1)

    def _write(self) -> None:
        if self._plan is not None:
            self._database.write_effects(self.place[0], self._plan)
            self._database.write_keys(self.place[0], self._plan)

    def _advance(self) -> None:
        self._database.next_offsets[self.place] = self._fresh[-1].record.offset + 1

    def _note(self, next_offset: int) -> None:
        self.applied_to, self._sought, self._seeks = next_offset, None, 0
        if next_offset > self.records[-1].record.offset + 1:
            self._seek(next_offset)
        self.phase = Phase.POLL

    def _seek(self, offset: int) -> None:
        self.applied_to = offset
        self.waiting.forget()
        self.position = offset

    def _unlock(self) -> None:
        if self._database.locked.get(self.place) is self:
            del self._database.locked[self.place]
