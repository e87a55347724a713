"""What operators do after a publisher's database was restored: a model of `versions raise` and `dlq settle`.

What of it is decided from the log (retelling.py) and from what is parked (classification.py) is the product's own.
"""

from dataclasses import replace

from shared.kafka.records import IncomingRecord
from shared.messaging import classification
from shared.messaging.classification import KeyState, ParkReason
from shared.messaging.decoding import Decoded
from shared.messaging.operations.retelling import ToldKey
from tests.simulation.consuming import Key, ReadingDatabase
from tests.simulation.event_log import EventLog
from tests.simulation.telling import EVENTS, Told, outgoing
from tests.simulation.writing import ProducingDatabase

# The operator who does it has a clock as good as others.
_CLOCK = 0


def read_told(log: EventLog) -> dict[str, ToldKey]:
    """Stand for versions.find_behind: read the topic to its end."""
    keys: dict[str, ToldKey] = {}
    for (topic, partition), records in log.records.items():
        if topic == EVENTS:
            for offset, told in enumerate(records):
                sent = outgoing(told)
                record = IncomingRecord(topic, partition, offset, sent.key, sent.value, tuple(sent.headers))
                keys.setdefault(told.key, ToldKey()).read(record)
    return keys


def raise_numbers(database: ProducingDatabase, log: EventLog) -> bool:
    """Stand for `versions raise`; False while rows wait to be sent, for then it is refused."""
    if database.outbox or log.sendings or database.writing:
        return False
    events = {told.event_id: told for _, _, told in log.history}
    changed = False
    for key, told_key in read_told(log).items():
        name = (EVENTS, key)
        anew = told_key.to_tell_anew(())
        if told_key.version <= database.versions.get(name, 0) and not anew:
            continue
        # INSERT INTO aggregate_versions ... greatest(...), then _TELL_ANEW numbers upwards from there.
        version = max(told_key.version, database.versions.get(name, 0))
        made_at = database.now(_CLOCK)
        for ordinal, event in enumerate(anew, 1):
            first = events[event.event_id]
            database.add(
                Told(EVENTS, key, version + ordinal, first.command, ordinal, made_at, event.event_id)
            )
        database.versions[name] = version + len(anew)
        changed = True
    if changed:
        database.back_up()
    return True


def settle(database: ReadingDatabase) -> None:
    """Stand for `dlq settle`, and for the `dlq discard` of what it says is left."""
    for name in [name for name, reason in database.parked_keys.items() if reason is ParkReason.DIVERGED]:
        for _ in range(_TRIES):
            if name in database.parked_keys:
                discard(database, name)


_TRIES = 4


def discard(database: ReadingDatabase, name: Key) -> None:
    """Stand for dead_letters.discard of a key of a dense topic."""
    parked = _in_order(database, name)
    state = KeyState(database.watermarks.get(name, 0), ids=database.read_ids(name))
    divergent = _divergent(parked, state, name)
    for each in divergent:
        state.ids.note(each.event_id)
    given_up = divergent
    if not divergent:
        head = parked[0]
        is_gap = (head.version or 0) > state.seen + 1
        state.advance((head.version or 0) - is_gap, None if is_gap else head.event_id)
        given_up = [] if is_gap else [head]
    remain = len(parked) > len(given_up)
    if remain:
        state.wait(ParkReason.FAILED)
    _write(database, name, state, given_up)
    if remain:
        _replay(database, name)


def _divergent(parked: list[Decoded], state: KeyState, name: Key) -> list[Decoded]:
    known = KeyState(state.seen, ids=replace(state.ids))
    in_log = sorted(parked, key=lambda each: each.record.offset)
    return classification.classify(in_log, {name[1]: known}, "dense").divergent


def _replay(database: ReadingDatabase, name: Key) -> None:
    """Stand for dead_letters.replay."""
    parked = _in_order(database, name)
    state = KeyState(database.watermarks.get(name, 0), ids=database.read_ids(name))
    plan = classification.classify(parked, {name[1]: state}, "dense")
    if plan.diverged:
        return
    database.write_effects(name[0], plan)
    applied = [each for each in parked if each.record.offset not in plan.park]
    _write(database, name, plan.states[name[1]], applied)


def _write(database: ReadingDatabase, name: Key, state: KeyState, forgotten: list[Decoded]) -> None:
    kept = database.parked_records.get(name, {})
    for each in forgotten:
        kept.pop(each.record.offset, None)
    if state.seen:
        database.write_watermark(name, state)
    database.write_parked(name, state)


def _in_order(database: ReadingDatabase, name: Key) -> list[Decoded]:
    parked = database.parked_records.get(name, {}).values()
    return sorted(parked, key=lambda each: (each.version or 0, each.record.offset))
