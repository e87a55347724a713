"""relay/one-relay: events from the outbox to Kafka, against raw select + send + delete on one connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.contracts.collab import NOTES, NoteEdited
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.producer import Producer
from shared.messaging.relay import Relay, RelayOptions
from shared.runtime.clock import SystemClock
from shared.testing.databases import ServiceDatabase
from shared.testing.kafka import KafkaSandbox
from shared.testing.waiting import eventually
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage

EVENTS, KEYS, BATCH = 20_000, 2_000, 500
_COUNT = "SELECT count(*) FROM collab.outbox"


@dataclass(frozen=True, slots=True)
class Scene:
    """One database with an outbox, one topic, one transactor that fills it."""

    database: ServiceDatabase
    sandbox: KafkaSandbox
    transact: Transactor
    connection: asyncpg.Connection

    async def fill(self) -> None:
        """Announce the events in units of work of one batch each."""
        keys = [uuid4() for _ in range(KEYS)]
        for start in range(0, EVENTS, BATCH):
            await self.transact(announce, [keys[(start + step) % KEYS] for step in range(BATCH)])

    async def drain_raw(self) -> float:
        """Send the outbox by the shortest code there is; return events per second."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.sandbox.access.bootstrap_servers, enable_idempotence=True, linger_ms=5
        )
        await producer.start()
        started = time.perf_counter()
        while rows := await self.connection.fetch(
            f"SELECT seq, aggregateid, payload::text FROM collab.outbox ORDER BY seq LIMIT {BATCH}"
        ):
            topic = self.sandbox.access.physical(NOTES)
            sent = [await producer.send(topic, row[2].encode(), key=row[1].encode()) for row in rows]
            await asyncio.gather(*sent)
            await self.connection.execute(
                "DELETE FROM collab.outbox WHERE seq = ANY($1::bigint[])", [row[0] for row in rows]
            )
        seconds = time.perf_counter() - started
        await producer.stop()
        return EVENTS / seconds

    async def drain_by_relay(self) -> float:
        """Run the relay until the outbox is empty; return events per second, its start not counted."""
        options = RelayOptions(service="collab", database_url=self.database.app_url)
        relay = Relay(options, lambda: Producer(self.sandbox.access, client_id="bench"))
        stopping = asyncio.Event()
        running = asyncio.ensure_future(relay.run(stopping))
        left = await eventually(lambda: self._fewer_than(EVENTS), timeout=60, every=0.002)
        started = time.perf_counter()
        await eventually(lambda: self._fewer_than(1), timeout=60, every=0.01)
        seconds = time.perf_counter() - started
        stopping.set()
        await running
        return left[0] / seconds

    async def _fewer_than(self, number: int) -> list[int]:
        """Return what is left, in a list so that an empty outbox is no false value."""
        left = await self.connection.fetchval(_COUNT)
        return [left] if left < number else []


async def announce(keys: list[UUID], uow: UnitOfWork) -> None:
    """Add one event per key."""
    uow.outbox.add_all(NoteEdited(note_id=key, revision=1, edited_at=uow.now) for key in keys)


@asynccontextmanager
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    """Set up a database and a topic for one case."""
    database = await stage.databases.for_service("collab")
    sandbox = KafkaSandbox(stage.kafka_bootstrap)
    await sandbox.create_topics({NOTES: 4})
    engine = database.build_engine()
    connection = await asyncpg.connect(database.admin_url)
    try:
        yield Scene(database, sandbox, Transactor(engine, SystemClock(), "/bench/collab"), connection)
    finally:
        await connection.close()
        await engine.dispose()
        await stage.databases.drop(database)


async def run(stage: Stage) -> list[Result]:
    """Measure the relay."""
    async with scene(stage) as prepared:

        async def relayed() -> float:
            await prepared.fill()
            return await prepared.drain_by_relay()

        async def raw() -> float:
            await prepared.fill()
            return await prepared.drain_raw()

        values, floors = await paired(relayed, raw)
    note = f"{EVENTS} events, {KEYS} keys; floor: raw select+send+delete, one connection, no headers"
    return [rates("relay", "one-relay", unit="events/s", values=values, floors=floors, note=note)]
