"""What to do with each record of a batch: apply, drop as a duplicate, park, or give up. Pure.

Three ways of counting. `dense` topics number the events of a key 1, 2, 3: a repeated number is a duplicate, a
skipped one means a lost or late event, so the key waits; one that is told again by another event (divergence.py) means
that its publisher went back, and the key waits, too. `rising` topics carry states: the highest wins.
`none` are foreign topics: every record is applied, and the handlers are idempotent by themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.contracts.envelope import AggregateOrder
from shared.messaging.decoding import Decoded, PassedOver, Stage, Unreadable, describe_error
from shared.messaging.divergence import KnownIds


class ParkReason(StrEnum):
    """Why a key waits."""

    GAP = "gap"
    FAILED = "failed"
    DIVERGED = "diverged"


@dataclass(slots=True)
class KeyState:
    """What is known of one key: its last applied version, and what is parked.

    `ids` need to be known where a version comes that was seen (`told_before`). `moved` tells that the version has
    to be written, `has_waited` that rows of parked keys or records may have to change.
    """

    seen: int = 0
    parked: ParkReason | None = None
    queue: dict[int, Decoded] = field(default_factory=dict)
    ids: KnownIds = field(default_factory=KnownIds)
    changed: bool = False
    moved: bool = False
    has_waited: bool = False

    def __post_init__(self) -> None:
        self.has_waited = self.parked is not None

    def wait(self, reason: ParkReason) -> None:
        """Park the key."""
        self.parked, self.changed, self.has_waited = reason, True, True

    def advance(self, version: int, event_id: str | None) -> None:
        """Have the version as the last applied one."""
        self.seen, self.changed, self.moved = version, True, True
        self.ids.advance(event_id)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is given up, and why."""

    decoded: Decoded
    cause: Unreadable


@dataclass(slots=True)
class Plan:
    """What to do with a batch."""

    states: dict[str, KeyState]
    apply: list[Decoded] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    park: dict[int, Decoded] = field(default_factory=dict)
    divergent: list[Decoded] = field(default_factory=list)
    duplicates: int = 0
    gaps: int = 0
    diverged: int = 0

    def watermarks(self) -> dict[str, KeyState]:
        """Return the keys whose last applied version moved."""
        return {key: state for key, state in self.states.items() if state.moved}

    def errors(self) -> dict[int, str]:
        """Return, by offset, what is wrong with parked records that do not only queue."""
        divergent = {
            each.record.offset: f"version {each.version} was applied before, of another event"
            for each in self.divergent
        }
        return {**divergent, **{d.decoded.record.offset: describe_error(d.cause.error) for d in self.dead}}

    def waiting(self) -> dict[str, KeyState]:
        """Return the keys whose parking has to be written."""
        return {key: state for key, state in self.states.items() if state.changed and state.has_waited}


def poisoned(records: Iterable[Decoded], errors: Mapping[int, Exception]) -> list[Decoded]:
    """Return the records with those, by offset, replaced that a handler refused for good."""
    return [
        replace(decoded, content=Unreadable(errors[decoded.record.offset], Stage.HANDLER))
        if decoded.record.offset in errors
        else decoded
        for decoded in records
    ]


def told_before(records: Iterable[Decoded], states: Mapping[str, KeyState]) -> dict[str, KeyState]:
    """Return the keys of which a version comes that was seen, whether before or within these records."""
    last: dict[str, int] = {key: state.seen for key, state in states.items()}
    found = {}
    for decoded in records:
        if decoded.key is None or decoded.version is None:
            continue
        if decoded.version > last.get(decoded.key, 0):
            last[decoded.key] = decoded.version
        elif decoded.key in states:
            found[decoded.key] = states[decoded.key]
    return found


def classify(records: Iterable[Decoded], states: Mapping[str, KeyState], order: AggregateOrder) -> Plan:
    """Plan a batch; `states` holds what is known of its keys and is carried forward in the plan."""
    plan = Plan(dict(states))
    place = {"dense": _place_dense, "rising": _place_rising, "none": _place_unordered}[order]
    for decoded in records:
        place(plan, decoded)
    if order == "rising":
        plan.apply = list({decoded.key: decoded for decoded in plan.apply}.values())
    return plan


def _place_unordered(plan: Plan, decoded: Decoded) -> None:
    if isinstance(decoded.content, Unreadable):
        plan.dead.append(DeadLetter(decoded, decoded.content))
        plan.park[decoded.record.offset] = decoded
    elif not isinstance(decoded.content, PassedOver):
        plan.apply.append(decoded)


def _place_rising(plan: Plan, decoded: Decoded) -> None:
    if decoded.key is None or decoded.version is None:
        _give_up(plan, decoded)
        return
    state = plan.states.setdefault(decoded.key, KeyState())
    if decoded.version < state.seen and state.ids.exclude(decoded.event_id, is_last=False):
        _diverge(plan, state, decoded)
    elif decoded.version <= state.seen:
        # At the last version, too, whatever its id: a state may be told once more (`state republish`).
        plan.duplicates += 1
    elif isinstance(decoded.content, Unreadable):
        _give_up(plan, decoded)
        plan.park[decoded.record.offset] = decoded
        state.wait(ParkReason.FAILED)
    else:
        # A newer state heals whatever was wrong with an older one.
        state.parked = None
        state.advance(decoded.version, decoded.event_id)
        if not isinstance(decoded.content, PassedOver):
            plan.apply.append(decoded)


def _place_dense(plan: Plan, decoded: Decoded) -> None:
    if decoded.key is None or decoded.version is None:
        _give_up(plan, decoded)
        return
    state = plan.states.setdefault(decoded.key, KeyState())
    if state.parked is ParkReason.DIVERGED:
        _stay_diverged(plan, state, decoded)
    elif _is_another(state, decoded):
        _diverge(plan, state, decoded)
    elif decoded.version <= state.seen or decoded.version in state.queue:
        plan.duplicates += 1
    elif state.parked is ParkReason.FAILED:
        _enqueue(plan, state, decoded)
    elif decoded.version > state.seen + 1:
        plan.gaps += state.parked is None
        state.wait(ParkReason.GAP)
        _enqueue(plan, state, decoded)
    else:
        _advance(plan, state, decoded)
        _heal(plan, state)


def _is_another(state: KeyState, decoded: Decoded) -> bool:
    version = decoded.version or 0
    if version <= state.seen:
        return state.ids.exclude(decoded.event_id, is_last=version == state.seen)
    queued = state.queue.get(version)
    known = None if queued is None else queued.event_id
    return known is not None and decoded.event_id is not None and known != decoded.event_id


def _diverge(plan: Plan, state: KeyState, decoded: Decoded) -> None:
    """Have the key wait for an operator, with this event and all that come."""
    if state.parked is not ParkReason.DIVERGED:
        plan.diverged += 1
        state.wait(ParkReason.DIVERGED)
    plan.divergent.append(decoded)
    plan.park[decoded.record.offset] = decoded


def _stay_diverged(plan: Plan, state: KeyState, decoded: Decoded) -> None:
    # Repeats wait, too: whoever settles the key looks at all of it in the order of the log.
    if decoded.version is not None and decoded.version <= state.seen:
        plan.divergent.append(decoded)
    plan.park[decoded.record.offset] = decoded


def _enqueue(plan: Plan, state: KeyState, decoded: Decoded) -> None:
    state.queue[decoded.version or 0] = decoded
    plan.park[decoded.record.offset] = decoded


def _advance(plan: Plan, state: KeyState, decoded: Decoded) -> None:
    state.changed = True
    if isinstance(decoded.content, Unreadable):
        _give_up(plan, decoded)
        _enqueue(plan, state, decoded)
        state.wait(ParkReason.FAILED)
        return
    state.advance(decoded.version or 0, decoded.event_id)
    if not isinstance(decoded.content, PassedOver):
        plan.apply.append(decoded)


def _heal(plan: Plan, state: KeyState) -> None:
    while state.parked is ParkReason.GAP:
        for version in [queued for queued in state.queue if queued <= state.seen]:
            plan.park.pop(state.queue.pop(version).record.offset, None)
        if not state.queue:
            state.parked = None
        elif state.seen + 1 in state.queue:
            _advance(plan, state, state.queue[state.seen + 1])
        else:
            return


def _give_up(plan: Plan, decoded: Decoded) -> None:
    if not isinstance(decoded.content, Unreadable):
        raise TypeError("a record without key or version was decoded as readable")
    plan.dead.append(DeadLetter(decoded, decoded.content))
