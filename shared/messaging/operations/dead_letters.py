"""What an operator does about parked keys: look, replay once the cause is mended, or give up what blocks them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.records import TopicPartition
from shared.messaging.batches import Batches, HandlerFailure
from shared.messaging.classification import KeyState, ParkReason, classify
from shared.messaging.decoding import Decoded, decode_record, describe_error
from shared.messaging.operations.missing import versions
from shared.messaging.operations.refusals import ReplayFailed
from shared.messaging.parking import ParkedRecord, Parking
from shared.messaging.progress import Progress

_LIST = text("""
SELECT r.consumer, r.topic, r.aggregateid, coalesce(k.reason, 'failed') AS reason, count(*) AS records,
       min(r.version) AS first_version, min(r.parked_at) AS parked_at, max(r.error) AS error,
       coalesce(w.version, 0) AS seen
FROM parked_records r LEFT JOIN parked_keys k USING (consumer, topic, aggregateid)
LEFT JOIN consumer_watermarks w USING (consumer, topic, aggregateid)
GROUP BY r.consumer, r.topic, r.aggregateid, k.reason, w.version
ORDER BY min(r.parked_at), r.consumer, r.topic, r.aggregateid
""")
_DIVERGED = text("""
SELECT aggregateid FROM parked_keys WHERE consumer = :consumer AND topic = :topic AND reason = :reason
ORDER BY aggregateid
""")
_FORGET = text("""
DELETE FROM parked_records
WHERE consumer = :consumer AND topic = :topic AND aggregateid = :key
  AND record_offset = ANY(CAST(:offsets AS bigint[]))
""")


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key that waits; `missing` are the versions that it waits for, where it is a gap."""

    consumer: str
    topic: str
    key: str
    reason: str
    records: int
    first_version: int | None
    parked_at: datetime
    error: str | None
    missing: str | None


async def list_parked(engine: AsyncEngine) -> list[ParkedKey]:
    """Return every key that waits, oldest first."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LIST)
        return [
            ParkedKey(
                row.consumer,
                row.topic,
                row.aggregateid,
                row.reason,
                row.records,
                row.first_version,
                row.parked_at,
                row.error,
                versions(row.seen + 1, row.first_version - 1) if row.reason == ParkReason.GAP else None,
            )
            for row in rows
        ]


async def show_parked(engine: AsyncEngine, *, consumer: str, topic: str, key: str) -> list[ParkedRecord]:
    """Return the records of one key, in the order in which a replay applies them."""
    async with engine.connect() as connection:
        return await Parking(consumer, topic).records_of(connection, [key])


async def replay(batches: Batches, key: str, uow: UnitOfWork) -> int:
    """Apply a key's parked records in order and let it go; return how many. Raises ReplayFailed.

    What lies beyond a missing version goes on waiting for it.
    """
    parked, state = await _lock(batches, uow.connection, key)
    decoded = [decode_record(each.record, batches.subscription) for each in parked]
    plan = classify(decoded, {key: state}, batches.subscription.order)
    if plan.diverged:
        raise ReplayFailed(
            f"key: {key} has events under versions that were applied before of other events: its publisher's database "
            "went back. Have the publisher tell them under new versions (`events versions raise` there), then `dlq settle`."
        )
    if plan.dead:
        raise ReplayFailed(describe_error(plan.dead[0].cause.error))
    # What a refused handler had announced so far is dropped with this outbox.
    own = replace(uow, actor=f"replay:{batches.consumer}", outbox=Outbox(source=batches.source))
    try:
        await batches.run_handlers(plan.apply, own)
    except HandlerFailure as failure:
        raise ReplayFailed(describe_error(failure.error)) from failure
    waiting = plan.park.keys()
    applied = [each.record.offset for each in parked if each.record.offset not in waiting]
    await _settle(batches, uow.connection, key, plan.states[key], forgotten=applied, now=uow.now)
    return len(applied)


@dataclass(frozen=True, slots=True)
class Discarded:
    """What discarding came to: records given up, records applied then, and why the rest still waits.

    `never_came` are the versions of a gap that were given up.
    """

    given_up: int
    replayed: int
    refused: str | None = None
    never_came: str | None = None
    offsets: Sequence[int] = ()


async def discard(batches: Batches, key: str, uow: UnitOfWork) -> Discarded:
    """Give up what blocks a key, then replay the rest. Raises ReplayFailed when nothing is parked.

    What blocks is the refused record or, for a gap, the versions that never came. A rest that is refused in turn
    waits as it did; what was given up stays so. Of a key that diverged, all that stands under versions that were
    applied is given up: its publisher tells it again under others.
    """
    parked, state = await _lock(batches, uow.connection, key)
    divergent = _divergent(batches, key, parked, state)
    never_came = None
    for each in divergent:
        # Known from now on: no news when Kafka has it twice.
        state.ids.note(each.event_id)
    if batches.subscription.order == "dense" and divergent:
        given_up = [each.record for each in divergent]
    elif batches.subscription.order == "dense":
        head = parked[0]
        version = head.version or 0
        is_gap = version > state.seen + 1
        if is_gap:
            never_came = versions(state.seen + 1, version - 1)
            state.advance(version - 1, None)
        else:
            # Known from now on, as if it had been applied: no news when it comes again.
            state.advance(version, decode_record(head.record, batches.subscription).event_id)
        given_up = [] if is_gap else [head.record]
    else:
        given_up = [each.record for each in parked]
    remain = len(parked) > len(given_up)
    if remain:
        state.wait(ParkReason.FAILED)
    offsets = [record.offset for record in given_up]
    await _settle(batches, uow.connection, key, state, forgotten=offsets, now=uow.now)
    done = Discarded(len(given_up), 0, never_came=never_came, offsets=offsets)
    if not remain:
        return done
    try:
        async with uow.connection.begin_nested():
            return replace(done, replayed=await replay(batches, key, uow))
    except ReplayFailed as failure:
        return replace(done, refused=str(failure))


async def list_diverged(batches: Batches) -> Sequence[str]:
    """Return the keys of a subscription that wait because their publisher went back."""
    names = {"consumer": batches.consumer, "topic": batches.subscription.topic}
    async with batches.engine.connect() as connection:
        rows = await connection.execute(_DIVERGED, {**names, "reason": ParkReason.DIVERGED})
        return list(rows.scalars())


async def _lock(
    batches: Batches, connection: AsyncConnection, key: str
) -> tuple[Sequence[ParkedRecord], KeyState]:
    """Keep the running consumer off the key's partition, and read what is known of the key."""
    parking = Parking(batches.consumer, batches.subscription.topic)
    partitions = {each.record.partition for each in await parking.records_of(connection, [key])}
    for partition in sorted(partitions):
        place = TopicPartition(batches.subscription.topic, partition)
        await Progress(batches.consumer, place).lock(connection)
    parked = await parking.records_of(connection, [key])
    if not parked:
        raise ReplayFailed(
            f"key: nothing of {key} is parked by {batches.consumer} on {batches.subscription.topic}; "
            "`dlq list` tells what is."
        )
    progress = Progress(batches.consumer, TopicPartition(batches.subscription.topic, 0))
    states = await progress.read_keys(connection, [key])
    # As if nothing had happened since the last applied version; what still has to wait parks itself anew.
    await progress.read_ids(connection, states)
    known = states.get(key, KeyState())
    return parked, KeyState(known.seen, ids=known.ids)


def _divergent(
    batches: Batches, key: str, parked: Sequence[ParkedRecord], state: KeyState
) -> Sequence[Decoded]:
    """Return what of a key stands under versions that other events had, with the repeats that wait beside it."""
    known = KeyState(state.seen, ids=replace(state.ids))
    in_order = sorted(parked, key=lambda each: each.record.offset)
    decoded = [decode_record(each.record, batches.subscription) for each in in_order]
    return classify(decoded, {key: known}, batches.subscription.order).divergent


async def _settle(
    batches: Batches,
    connection: AsyncConnection,
    key: str,
    state: KeyState,
    *,
    forgotten: Sequence[int],
    now: datetime,
) -> None:
    topic = batches.subscription.topic
    names = {"consumer": batches.consumer, "topic": topic, "key": key}
    await connection.execute(_FORGET, {**names, "offsets": list(forgotten)})
    if batches.subscription.order != "none":
        progress = Progress(batches.consumer, TopicPartition(topic, 0))
        await progress.write_watermarks(connection, {key: state} if state.seen else {})
        await Parking(batches.consumer, topic).write_keys(connection, {key: state}, now=now)
