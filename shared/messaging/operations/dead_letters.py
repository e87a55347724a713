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
from shared.messaging.operations.refusals import NotToldAnew, ReplayFailed
from shared.messaging.operations.retelling import retold_by
from shared.messaging.parking import ParkedRecord, Parking
from shared.messaging.progress import Progress

# Of a key, in one transaction: as many as the running consumer takes (reader.py).
CHUNK = 500

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


@dataclass(frozen=True, slots=True)
class Replayed:
    """Records applied in one transaction, and whether there are more to go on with."""

    records: int
    more: bool


async def replay(batches: Batches, key: str, uow: UnitOfWork) -> Replayed:
    """Apply the first of a key's parked records in order; let it go after the last. Raises ReplayFailed.

    As many as a consumer takes into one transaction. What lies beyond a missing version goes on waiting for it.
    """
    await _lock(batches, uow.connection, key)
    waiting, state = await _read(batches, uow.connection, key, limit=CHUNK + 1)
    parked = _chunk(waiting)
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
    more = len(waiting) > len(parked) and plan.states[key].parked is None
    if more:
        # The consumer goes on queueing behind what is left.
        plan.states[key].wait(ParkReason.FAILED)
    applied = [each.record.offset for each in parked if each.record.offset not in plan.park]
    await _settle(batches, uow.connection, key, plan.states[key], forgotten=applied, now=uow.now)
    return Replayed(len(applied), more)


def _chunk(parked: Sequence[ParkedRecord]) -> Sequence[ParkedRecord]:
    if len(parked) <= CHUNK:
        return parked
    # Records of one version are looked at together: one of them may be another event.
    whole = [each for each in parked[:CHUNK] if each.version != parked[CHUNK].version]
    return whole or parked[:CHUNK]


@dataclass(frozen=True, slots=True)
class Freed:
    """What freeing a key came to: records given up, records applied then, and why the rest still waits, if it does.

    `more` tells that the rest is not refused but has not been tried; `never_came` are the versions of a gap that were
    given up, `missing` those that the rest waits for.
    """

    given_up: int = 0
    replayed: int = 0
    refused: str | None = None
    more: bool = False
    never_came: str | None = None
    offsets: Sequence[int] = ()
    missing: str | None = None

    @property
    def waits(self) -> bool:
        """Tell whether something of the key still waits."""
        return self.refused is not None or self.missing is not None

    def lost(self) -> dict[str, str]:
        """Return what was given up, as the audit has it."""
        found = {"versions": self.never_came, "offsets": ", ".join(map(str, self.offsets))}
        return {name: told for name, told in found.items() if told}


async def discard(batches: Batches, key: str, uow: UnitOfWork, *, accept_loss: bool = True) -> Freed:
    """Give up what blocks a key, then begin to replay the rest.

    Raises ReplayFailed when nothing is parked; NotToldAnew, unless the loss is accepted, when what diverged has not come
    again. What blocks is the refused record or, for a gap, the versions that never came. A rest that is refused in turn
    waits as it did; what was given up stays so. Of a key that diverged, all that stands under versions that were
    applied is given up: its publisher tells it again under others.
    """
    await _lock(batches, uow.connection, key)
    parked, state = await _read(batches, uow.connection, key)
    divergent = _divergent(batches, key, parked, state)
    never_came = None
    if not accept_loss:
        _require_told_anew(key, parked, divergent, state)
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
    freed = Freed(len(given_up), never_came=never_came, offsets=offsets)
    return await go_on(freed, batches, key, uow) if remain else freed


async def go_on(freed: Freed, batches: Batches, key: str, uow: UnitOfWork) -> Freed:
    """Replay what comes next of a key, and take that alone back when it is refused."""
    try:
        async with uow.connection.begin_nested():
            replayed = await replay(batches, key, uow)
    except ReplayFailed as failure:
        return replace(freed, refused=str(failure), more=False)
    return replace(freed, replayed=freed.replayed + replayed.records, more=replayed.more)


async def list_diverged(batches: Batches) -> Sequence[str]:
    """Return the keys of a subscription that wait because their publisher went back."""
    names = {"consumer": batches.consumer, "topic": batches.subscription.topic}
    async with batches.engine.connect() as connection:
        rows = await connection.execute(_DIVERGED, {**names, "reason": ParkReason.DIVERGED})
        return list(rows.scalars())


async def _lock(batches: Batches, connection: AsyncConnection, key: str) -> None:
    """Keep the running consumer off the key's partition. Raises ReplayFailed when nothing of the key is parked."""
    topic = batches.subscription.topic
    partitions = await Parking(batches.consumer, topic).partitions_of(connection, key)
    for partition in partitions:
        await Progress(batches.consumer, TopicPartition(topic, partition)).lock(connection)
    # Asked again: the consumer may have been applying it.
    if not await Parking(batches.consumer, topic).partitions_of(connection, key):
        raise ReplayFailed(
            f"key: nothing of {key} is parked by {batches.consumer} on {topic}; `dlq list` tells what is."
        )


async def _read(
    batches: Batches, connection: AsyncConnection, key: str, *, limit: int | None = None
) -> tuple[Sequence[ParkedRecord], KeyState]:
    topic = batches.subscription.topic
    parked = await Parking(batches.consumer, topic).records_of(connection, [key], limit=limit)
    progress = Progress(batches.consumer, TopicPartition(topic, 0))
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


def _require_told_anew(
    key: str, parked: Sequence[ParkedRecord], divergent: Sequence[Decoded], known: KeyState
) -> None:
    """Raise NotToldAnew unless all that diverged waits under another version, too; repeats were applied."""
    told = {retold_by(each.record) for each in parked}
    untold = [
        each
        for each in divergent
        if each.event_id not in told and known.ids.exclude(each.event_id, is_last=each.version == known.seen)
    ]
    if untold:
        raise NotToldAnew(
            f"key: {len(untold)} events of {key} have not come again, as version {untold[0].version} ({untold[0].event_id})."
        )


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
