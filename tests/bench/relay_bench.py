"""relay: events from the outbox to Kafka by relay processes, against raw select + send + delete on one connection.

The floor is what an engineer would write who needs neither leases nor quarantine: the same events (topic, keys,
payloads, headers, acknowledgement by all, idempotence) read in one scan, packed into one batch per partition,
deleted by one statement; nothing else runs in its process, and it may assume that it is alone.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.contracts.collab import NOTES, NoteEdited
from shared.db.engine import build_engine
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.partitioning import partition_of
from shared.messaging.outgoing import to_record
from shared.runtime.clock import SystemClock
from shared.testing.waiting import eventually
from tests.bench.report import SAMPLES, Result, rates
from tests.bench.stage import Stage
from tests.processes import ServiceProcesses

EVENTS, KEYS, FLUSHED = 60_000, 2_000, 500
_SELECT = """
SELECT seq, id::text AS id, aggregatetype, aggregateid, type, payload::text AS payload, source, dataschema,
       headers::text AS headers, aggregateversion, created_at
FROM outbox ORDER BY seq LIMIT $1
"""
_DELETE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
_COUNT = "SELECT count(*) FROM outbox"
# From the end: from the start it would read past everything that was deleted, again and again beside what it measures.
_LAST = "SELECT seq FROM outbox ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Outbox:
    """A database whose outbox is sent by as many relay processes as were started for it, or by none."""

    processes: ServiceProcesses
    transact: Transactor
    connection: asyncpg.Connection

    async def fill(self) -> None:
        """Announce the events in one transaction: whoever sends sees all of them at once."""
        await self.transact(announce, [uuid4() for _ in range(KEYS)])

    async def drain_by_relays(self) -> float:
        """Wait until the processes have sent everything; return events per second from the first one on."""
        await self.fill()
        [left] = await eventually(self._fewer_than_all, timeout=60, every=0.002)
        started = time.perf_counter()
        await eventually(self._none_left, timeout=60, every=0.005)
        return left / (time.perf_counter() - started)

    async def drain_raw(self, rows_at_once: int) -> float:
        """Send the outbox by the shortest code that sends the same records; return events per second."""
        await self.fill()
        producer = AIOKafkaProducer(
            bootstrap_servers=self.processes.bootstrap_servers,
            enable_idempotence=True,
            acks="all",
            max_batch_size=512 * 1024,
        )
        await producer.start()
        topic = f"{self.processes.topic_prefix}{NOTES}"
        partitions = len(await producer.partitions_for(topic))
        started = time.perf_counter()
        while rows := await self.connection.fetch(_SELECT, rows_at_once):
            await _send(producer, topic, partitions, rows)
            await self.connection.execute(_DELETE, [row["seq"] for row in rows])
        seconds = time.perf_counter() - started
        await producer.stop()
        return EVENTS / seconds

    async def _fewer_than_all(self) -> list[int]:
        """Return what is left, in a list so that an empty outbox is no false value."""
        left = int(await self.connection.fetchval(_COUNT))
        return [left] if left < EVENTS else []

    async def _none_left(self) -> bool:
        return await self.connection.fetchval(_LAST) is None


async def _send(producer: AIOKafkaProducer, topic: str, partitions: int, rows: Sequence[Any]) -> None:
    """Send rows in one batch per partition, and wait until all are acknowledged."""
    batches: dict[int, Any] = defaultdict(producer.create_batch)
    sent = []
    for record in map(to_record, rows):
        partition = partition_of(record.key or b"", partitions)
        told = {
            "timestamp": record.timestamp_ms,
            "key": record.key,
            "value": record.value,
            "headers": record.headers,
        }
        if batches[partition].append(**told) is None:
            sent.append(await producer.send_batch(batches.pop(partition), topic, partition=partition))
            batches[partition].append(**told)
    sent += [await producer.send_batch(batch, topic, partition=number) for number, batch in batches.items()]
    await asyncio.gather(*sent)


async def announce(keys: Sequence[UUID], uow: UnitOfWork) -> None:
    """Add the events, in turns over the keys."""
    for start in range(0, EVENTS, FLUSHED):
        uow.outbox.add_all(
            NoteEdited(note_id=keys[at % len(keys)], revision=1, edited_at=uow.now)
            for at in range(start, start + FLUSHED)
        )
        await uow.outbox.flush(uow.connection)


@asynccontextmanager
async def outbox(stage: Stage, *, relays: int) -> AsyncIterator[Outbox]:
    """Set up a database and topics with so many relay processes."""
    async with stage.processes_of("collab") as processes:
        if relays:
            processes.start(*(f"collab.relay.{number}" for number in range(relays)))
        app_url = processes.database_url("collab_app")
        engine = build_engine(app_url, schema="collab", application_name="bench")
        connection = await asyncpg.connect(app_url, server_settings={"search_path": "collab", "jit": "off"})
        try:
            yield Outbox(processes, Transactor(engine, SystemClock(), "/bench/collab"), connection)
        finally:
            await connection.close()
            await engine.dispose()


async def run(stage: Stage) -> list[Result]:
    """Measure one relay process against the raw loop, and two against one."""
    one_relay, two_relays, raw_loop = [], [], []
    async with AsyncExitStack() as stack:
        one, two, raw = [await stack.enter_async_context(outbox(stage, relays=n)) for n in (1, 2, 0)]
        best = await _best_size(raw)
        for sample in range(SAMPLES + 1):
            measured = await one.drain_by_relays(), await raw.drain_raw(best), await two.drain_by_relays()
            # The first round only warms up.
            if sample:
                for rate, kept in zip(measured, (one_relay, raw_loop, two_relays), strict=True):
                    kept.append(rate)
    told = f"{EVENTS:,} events, {KEYS:,} keys, processes of their own"
    floor = (
        f"raw select+send+delete of {best:,} rows at once, batch per partition, same headers, one connection"
    )
    return [
        rates(
            "relay",
            "one-relay",
            unit="events/s",
            values=one_relay,
            floors=raw_loop,
            note=f"{told}; floor: {floor}",
        ),
        rates(
            "relay",
            "two-relays",
            unit="events/s",
            values=two_relays,
            floors=one_relay,
            note=f"{told}; floor: one",
        ),
    ]


async def _best_size(raw: Outbox) -> int:
    """Return how many rows at once suit the floor best."""
    found = {size: await raw.drain_raw(size) for size in (500, 2_000, 8_000)}
    return max(found, key=found.__getitem__)
