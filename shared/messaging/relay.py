"""Outbox to Kafka: per-key order, never a row skipped, and waiting instead of failing while brokers are away.

Rows of one bucket are sent by one task in the order of seq, which is their commit order per key; they are
deleted, on the session that owns the bucket, only when acknowledged. So a crash repeats events and never
loses or reorders them.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.kafka.producer import Delivery, Producer
from shared.messaging import metrics
from shared.messaging.blocked_topics import LONGEST_BLOCK, BlockedTopics
from shared.messaging.leases import HEARTBEAT_SECONDS, Leases, connect_directly
from shared.messaging.outgoing import to_record
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause, unless_told

log = get_logger(__name__)

ROWS_PER_BUCKET = 1000
# And what comes to this; as stored, which is compressed: a few times as much in memory. What piled up while brokers were
# away may be large events.
BYTES_PER_BUCKET = 1024 * 1024
SHORTEST_WAIT, LONGEST_WAIT = 0.02, 0.2
PATIENCE_AT_STOP = 10.0

# One index scan per bucket, whatever the backlog. No transaction stays open while rows are being sent.
# What comes after a quarantined row of its key waits; one statement sees the row either here or there. The list of
# ids is read once per statement and almost always empty; only its members are looked at more closely.
FETCH = f"""
SELECT o.seq, o.id::text AS id, o.aggregatetype, o.aggregateid, o.type, o.payload::text AS payload, o.source,
       o.dataschema, o.headers::text AS headers, o.aggregateversion, o.created_at,
       o.bytes >= {BYTES_PER_BUCKET} AS is_cut_after
FROM unnest($1::smallint[]) AS b (bucket)
CROSS JOIN LATERAL (
    SELECT *, sum(coalesce(pg_column_size(payload), 0)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS bytes
    FROM outbox WHERE bucket = b.bucket AND aggregatetype <> ALL ($2::text[])
      AND (aggregateid <> ALL (ARRAY(SELECT aggregateid FROM outbox_dead WHERE holds_key)) OR NOT EXISTS (
          SELECT FROM outbox_dead AS dead WHERE dead.holds_key AND dead.aggregateid = outbox.aggregateid
            AND dead.aggregatetype = outbox.aggregatetype AND dead.seq < outbox.seq
      ))
    ORDER BY seq LIMIT $3
) AS o
WHERE o.bytes - coalesce(pg_column_size(o.payload), 0) < {BYTES_PER_BUCKET}
ORDER BY b.bucket, o.seq
"""
_DELETE = "DELETE FROM outbox WHERE seq = ANY ($1::bigint[])"


class DeliveryFailed(RuntimeError):
    """Kafka refused a batch: the producer is spent and the session ends."""


# A server that ends the session just as a statement is sent leaves the driver between two states of its
# protocol, which it reports as an internal error of the client.
_ENDS_A_SESSION = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    DeliveryFailed,
)


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """Whose outbox is sent, and how."""

    service: str
    database_url: str
    rows_per_bucket: int = ROWS_PER_BUCKET


class Lane:
    """One session that owns buckets and sends them. Two in a process overlap sending with database work."""

    def __init__(self, options: RelayOptions, producer: Producer, blocked: BlockedTopics) -> None:
        self._options = options
        self._producer = producer
        self._blocked = blocked
        self._connection: Any = None
        self.leases: Leases | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until told to stop. Whatever goes wrong ends the session, and with it the leases."""
        service = self._options.service
        self._connection = await connect_directly(
            self._options.database_url, schema=service, application_name=f"{service}.relay"
        )
        try:
            self.leases = Leases(self._connection, name=f"{service}.outbox")
            await self.leases.announce()
            await self._send_until(stopping, self.leases)
        finally:
            self.leases = None
            self._connection.terminate()

    async def _send_until(self, stopping: asyncio.Event, leases: Leases) -> None:
        balanced_at, wait = 0.0, SHORTEST_WAIT
        while not stopping.is_set():
            if time.monotonic() - balanced_at > HEARTBEAT_SECONDS:
                await leases.balance()
                balanced_at = time.monotonic()
            sent, more = await self._send_batch(leases.owned, stopping)
            wait = SHORTEST_WAIT if sent else min(wait * 1.2, LONGEST_WAIT)
            if not more:
                await pause(stopping, wait)

    async def _send_batch(self, buckets: Sequence[int], stopping: asyncio.Event) -> tuple[int, bool]:
        """Send what the buckets have; return how many rows were sent, and whether a bucket may have more."""
        rows = await self._connection.fetch(
            FETCH, buckets, self._blocked.now(), self._options.rows_per_bucket
        )
        if not rows:
            return 0, False
        delivery = await self._with_heartbeat(
            self._producer.deliver([to_record(row) for row in rows]), stopping
        )
        if delivery is None:
            return 0, False
        acknowledged = delivery.acknowledged(rows)
        if acknowledged:
            await self._forget(acknowledged)
        if delivery.error is not None:
            self._meet_failure(rows, delivery)
        cut = len(rows) >= self._options.rows_per_bucket or any(row["is_cut_after"] for row in rows)
        return len(acknowledged), cut and delivery.error is None

    async def _with_heartbeat(
        self, sending: Coroutine[Any, Any, Delivery], stopping: asyncio.Event
    ) -> Delivery | None:
        """Wait for acknowledgements however long it takes, keeping the session and its leases alive.

        Only a stopping process gives up waiting: the rows stay, and the next owner sends them again.
        """
        task = asyncio.ensure_future(sending)
        impatience = asyncio.ensure_future(_impatient(stopping))
        try:
            while not (await _first_of(task, impatience, seconds=HEARTBEAT_SECONDS)):
                await self._connection.fetchval("SELECT 1")
        except BaseException:
            # The lease is lost. Late copies are in order and already covered by the next owner's.
            task.cancel()
            raise
        finally:
            impatience.cancel()
        if task.done():
            return task.result()
        task.cancel()
        return None

    async def _forget(self, rows: Sequence[Any]) -> None:
        await self._connection.execute(_DELETE, [row["seq"] for row in rows])
        metrics.OUTBOX_SENT.labels(self._options.service).inc(len(rows))
        self._blocked.release({row["aggregatetype"] for row in rows})

    def _meet_failure(self, rows: Sequence[Any], delivery: Delivery) -> None:
        first = rows[min(delivery.failed)]
        log.error(
            "not delivered",
            topic=first["aggregatetype"],
            seq=first["seq"],
            rows=len(delivery.failed),
            error=repr(delivery.error),
        )
        for topic in {rows[at]["aggregatetype"] for at in delivery.failed}:
            self._blocked.block(topic)
        if delivery.spent:
            raise DeliveryFailed(str(delivery.error)) from delivery.error


class Relay:
    """Runs lanes on one producer; a failure drops both and begins anew, as a fresh process would."""

    def __init__(
        self, options: RelayOptions, make_producer: Callable[[], Producer], *, lanes: int = 2
    ) -> None:
        self._options = options
        self._make_producer = make_producer
        self._lane_count = lanes
        self._blocked = BlockedTopics()
        self.lanes: list[Lane] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until told to stop; what is under way then is left for the next owner if it takes too long."""
        longest = 0.2
        while not stopping.is_set():
            started = time.monotonic()
            try:
                await self._session(stopping)
            except* _ENDS_A_SESSION as group:
                error = _first(group)
                metrics.OUTBOX_ERRORS.labels(self._options.service, type(error).__name__).inc()
                log.warning("session ended", error=type(error).__name__, detail=str(error))
            if time.monotonic() - started > LONGEST_BLOCK:
                longest = 0.2
            await pause(stopping, random.uniform(longest / 2, longest))  # noqa: S311 - jitter
            longest = min(longest * 2, 10.0)

    def is_connected(self) -> bool:
        """Tell whether some lane has a session to Postgres and Kafka was reached for it."""
        return any(lane.leases is not None for lane in self.lanes)

    def owned(self) -> int:
        """Return how many buckets this process owns."""
        return sum(len(lane.leases.owned) for lane in self.lanes if lane.leases is not None)

    async def _session(self, stopping: asyncio.Event) -> None:
        producer = self._make_producer()
        if not await unless_told(stopping, producer.start()):
            return
        try:
            self.lanes = [Lane(self._options, producer, self._blocked) for _ in range(self._lane_count)]
            async with asyncio.TaskGroup() as group:
                for lane in self.lanes:
                    group.create_task(lane.run(stopping))
        finally:
            await producer.close()


async def _impatient(stopping: asyncio.Event) -> None:
    """Return when a stopping process has waited long enough, counted from when it was told."""
    await stopping.wait()
    await asyncio.sleep(PATIENCE_AT_STOP)


async def _first_of(*tasks: asyncio.Future[Any], seconds: float) -> bool:
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
