"""Whether readers told that a publisher had gone back, held its keys, and were told all of it in the end.

Which events those are is told from the whole log and from which ids it holds, not from when ids were made.
"""

from collections import defaultdict

from shared.messaging.classification import ParkReason
from tests.faults.checks import Finding, Place, report
from tests.simulation.telling import EVENTS, Told
from tests.simulation.world import World

Placed = tuple[Place, Told]


def divergent_places(world: World) -> set[Place]:
    """Return where the log holds an event, or its repeat, under a number that another had had."""
    found: set[Place] = set()
    if world.restored:
        for told in _by_key(world).values():
            found |= _divergent(told)
    return found


def find_not_held(world: World) -> list[Finding]:
    """Find keys whose publisher went back and that do not wait from there on, or that wait for no reason."""
    reading = world.reading
    applied = defaultdict(list)
    for effect in reading.effects:
        applied[effect.topic, effect.key].append(effect.event_id)
    dropped, wrong, false = [], [], []
    for name, told in _by_key(world).items():
        divergent = _divergent(told)
        first = next((at for at, (place, _) in enumerate(told) if place in divergent), len(told))
        followed = list(dict.fromkeys(each.event_id for _, each in told[:first]))
        waiting = set(reading.parked_records.get(name, {}))
        held = {place[2] for place, _ in told[first:]}
        diverged = reading.parked_keys.get(name) is ParkReason.DIVERGED
        if divergent and not (diverged and held <= waiting):
            dropped.append(f"{name}: {sorted(held - waiting)} of {sorted(held)} do not wait")
        if applied[name] != followed:
            wrong.append(f"{name}: applied {len(applied[name])}, told {len(followed)} before it went back")
        if name in reading.parked_keys and not divergent:
            false.append(f"{name}: {reading.parked_keys[name]}")
    return [
        *report("divergence dropped", dropped),
        *report("divergence applied", wrong),
        *report("held without divergence", false),
    ]


def find_not_told_anew(world: World) -> list[Finding]:
    """Find keys of which something was never told again in order, after the operator did what there is to do."""
    events = {told.event_id: told for _, _, told in world.log.history}
    applied = defaultdict(list)
    for effect in world.reading.effects:
        applied[effect.topic, effect.key].append(_first(effect.event_id, events))
    missing, last = [], []
    for name, told in _by_key(world).items():
        firsts = list(dict.fromkeys(each.event_id for _, each in told if each.retells is None))
        missing += [f"{name}: {event}" for event in firsts if event not in applied[name]]
        if applied[name][-1:] != firsts[-1:]:
            last.append(f"{name}: ends with {applied[name][-1:]}, told last was {firsts[-1:]}")
    return [*report("never told anew", missing), *report("told anew in disorder", last)]


def _first(event: str, events: dict[str, Told]) -> str:
    """Return the id that an event was told under at first."""
    while (retells := events[event].retells) is not None:
        event = retells
    return event


def _by_key(world: World) -> dict[tuple[str, str], list[Placed]]:
    found: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for (topic, partition), records in world.log.records.items():
        if topic == EVENTS:
            for offset, told in enumerate(records):
                found[topic, told.key].append(((topic, partition, offset), told))
    return found


def _divergent(told: list[Placed]) -> set[Place]:
    highest, followed, found = 0, set[str](), set[Place]()
    for place, each in told:
        if each.event_id in followed:
            continue
        if each.version <= highest:
            found.add(place)
        else:
            highest = each.version
            followed.add(each.event_id)
    return found
