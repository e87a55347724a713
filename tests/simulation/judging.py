"""Whether a healed world kept every promise: the checkers of the fault tests, asked of its log and its effects."""

from collections import Counter
from dataclasses import replace

from tests.faults.checks import (
    Applied,
    Finding,
    Record,
    find_aborted,
    find_divergent,
    find_duplicated,
    find_gaps,
    find_inverted,
    find_lost,
    find_unseen,
    report,
)
from tests.simulation import restored
from tests.simulation.telling import EVENTS, FACTS, Place, Told
from tests.simulation.world import World


def judge(world: World) -> list[Finding]:
    """Return everything that must not be."""
    producing, applied = world.producing, world.reading.effects
    records = [_record(place, offset, told) for place, offset, told in world.log.history]
    told = [record for record in records if record.topic == EVENTS]
    effects = [effect for effect in applied if effect.topic == EVENTS]
    # Facts do not count their versions: what is promised of them is one effect for each place in the log.
    placed = [replace(e, event_id=str(e.place)) if e.topic == FACTS else e for e in applied]
    went_back = restored.divergent_places(world)
    followed = [record for record in records if record.place not in went_back]
    return [
        *find_lost(producing.acknowledged, {record.command or 0 for record in records}),
        *find_aborted(producing.failed, range(1, producing.last_command + 1), records),
        *([] if world.log.strayed or world.restored else find_inverted(told, where="log")),
        *find_gaps(told, where="log"),
        *find_divergent(records, applied),
        *find_duplicated(placed),
        *find_inverted(effects, where="effects"),
        *find_gaps(effects, where="effects"),
        *_unseen(world, followed, placed),
        *_repeats(world, records),
        *_unrest(world),
    ]


def _record(place: Place, offset: int, told: Told) -> Record:
    return Record(*place, offset, told.key, told.version, told.event_id, told.command)


def _unseen(world: World, records: list[Record], placed: list[Applied]) -> list[Finding]:
    """Events without effect, but for those that a truncation took away, or that wait for one it took."""
    excused = [record for record in records if _is_excused(world, record)]
    passed: list[Finding] = []
    if excused:
        seen = {effect.event_id for effect in placed}
        passed = _passed(world, [record for record in excused if _effect_id(record) not in seen])
        left = {record.place for record in excused if _effect_id(record) not in seen}
        records = [record for record in records if record.place not in left]
        placed_records = {record.place for record in records}
        placed = [effect for effect in placed if effect.place in placed_records]
    named = [replace(r, event_id=_effect_id(r)) if r.topic == FACTS else r for r in records]
    return [*find_unseen(named, placed), *_silent(world), *passed]


def _effect_id(record: Record) -> str:
    return str(record.place) if record.topic == FACTS else record.event_id


def _is_excused(world: World, record: Record) -> bool:
    place = (record.topic, record.partition)
    if not world.log.begins[place]:
        return False
    gone = record.offset < world.log.begins[place]
    return gone or place in _stopped(world) or (record.topic, record.key) in world.reading.parked_keys


def _stopped(world: World) -> set[Place]:
    return {reading.place for reading in world.group.readings if reading.stopped}


def _silent(world: World) -> list[Finding]:
    """Partitions whose next record is gone, that have later ones, and that did not stop."""
    stopped = _stopped(world)
    wrong = [
        f"{place}: read to {world.reading.next_offsets.get(place)}, the log begins at {begins}"
        for place, begins in world.log.begins.items()
        if place not in stopped
        and world.reading.next_offsets.get(place, begins) < begins < len(world.log.records[place])
    ]
    return report("gap not reported", wrong)


def _passed(world: World, without_effect: list[Record]) -> list[Finding]:
    """Records that are gone, and that their reader went past as if it had had them."""
    wrong = [
        f"{place}: read past {record.offset}, the log begins at {world.log.begins[place]}"
        for record in without_effect
        if record.offset < world.log.begins[place := (record.topic, record.partition)]
        and world.reading.begun_at.get(place, 0) <= record.offset < world.reading.next_offsets.get(place, 0)
        and (record.topic, record.key) not in world.reading.parked_keys
    ]
    return report("gap not reported", wrong)


def _repeats(world: World, records: list[Record]) -> list[Finding]:
    """Events that are in the log more often than relays were interrupted while they sent them."""
    interrupted = Counter(world.producing.came_back)
    for relay in world.relays:
        interrupted.update(relay.interrupted)
    copies = Counter(record.event_id for record in records)
    wrong = [
        f"{event}: {count} copies, {interrupted[event]} interruptions"
        for event, count in copies.items()
        if count > 1 + interrupted[event]
    ]
    return report("repeated without a reason", wrong)


def _unrest(world: World) -> list[Finding]:
    """What is left when everybody had all the time in the world."""
    reading = world.reading
    left = [f"a lock on {place}" for place in reading.locked]
    if not world.at_rest:
        left.append("work without an end")
    stopped = _stopped(world)
    left += [f"{place} stopped" for place in stopped if not world.log.begins[place]]
    truncated = {topic for (topic, _), begins in world.log.begins.items() if begins}
    left += [f"{key} parked" for key in reading.parked_keys if key[0] not in truncated]
    return report("not at rest", left)
