"""ingest/consumer: facts from Kafka into the roll-ups, against raw COPY of the same rows into a bare table."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.consumers import CONSUMERS
from shared.contracts.envelope import Envelope
from shared.contracts.sales import FACTS, Fact, FactsRecorded
from shared.kafka.cloudevents import encode
from shared.messaging.consumer import Consumer
from shared.messaging.subscription import dead_letter_topic
from shared.runtime.clock import SystemClock
from shared.testing.kafka import KafkaSandbox
from shared.testing.waiting import eventually
from tests.bench.organisation import copy_facts, found_tree, make_facts
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage

FACTS_PER_SAMPLE, PER_RECORD, ACCOUNTS = 40_000, 500, 5_000
CONSUMER = "metrics.facts"


@dataclass(slots=True)
class Scene:
    """A metrics database with a tree and aligned accounts, its topic, a bare table beside it, and facts to come."""

    engine: AsyncEngine
    sandbox: KafkaSandbox
    raw: asyncpg.Connection
    facts: Iterator[Fact]

    async def found(self) -> None:
        """Put a tree of 1 + 4 + 12 + 60 territories in force and align the accounts."""
        await self.sandbox.create_topics({FACTS: 8, dead_letter_topic(FACTS, CONSUMER): 1})
        await found_tree(self.engine, accounts=ACCOUNTS)
        await self.raw.execute("CREATE TABLE public.bare (LIKE metrics.facts, PRIMARY KEY (entity_key))")

    def new_facts(self) -> list[Fact]:
        """Return facts of a year."""
        return list(islice(self.facts, FACTS_PER_SAMPLE))

    async def publish(self, facts: Sequence[Fact]) -> None:
        """Put the facts on the topic, 500 to a record."""
        for start in range(0, len(facts), PER_RECORD):
            event = FactsRecorded(batch_id=uuid4(), facts=tuple(facts[start : start + PER_RECORD]))
            envelope = Envelope(id=str(uuid4()), source="/bench", type=event.TYPE, subject=event.key)
            await self.sandbox.produce(
                FACTS, event.model_dump_json().encode(), key=event.key.encode(), headers=encode(envelope)
            )

    async def consume(self) -> float:
        """Read new facts from Kafka until all are stored; return facts per second."""
        await self.publish(self.new_facts())
        before = await self._stored()
        consumer = Consumer(
            CONSUMER,
            CONSUMERS[CONSUMER],
            engine=self.engine,
            clock=SystemClock(),
            access=self.sandbox.access,
            source="/bench/metrics",
        )
        stopping = asyncio.Event()
        running = asyncio.ensure_future(consumer.run(stopping))
        first = await eventually(lambda: self._more_than(before), timeout=60, every=0.005)
        started = time.perf_counter()
        now = await eventually(lambda: self._more_than(before + FACTS_PER_SAMPLE - 1), timeout=120)
        seconds = time.perf_counter() - started
        stopping.set()
        await running
        return (now - first) / seconds

    async def copy(self) -> float:
        """COPY the same kind of rows into the bare table; return facts per second."""
        facts = self.new_facts()
        started = time.perf_counter()
        for start in range(0, len(facts), 5_000):
            await copy_facts(self.raw, facts[start : start + 5_000], schema="public", table="bare")
        return FACTS_PER_SAMPLE / (time.perf_counter() - started)

    async def _more_than(self, number: int) -> int:
        stored = await self._stored()
        return stored if stored > number else 0

    async def _stored(self) -> int:
        return int(await self.raw.fetchval("SELECT count(*) FROM metrics.facts"))


@asynccontextmanager
async def founded(stage: Stage) -> AsyncIterator[Scene]:
    """Yield a scene that is ready to take facts."""
    database = await stage.databases.for_service("metrics")
    engine = database.build_engine()
    raw = await asyncpg.connect(database.admin_url)
    scene = Scene(
        engine, KafkaSandbox(stage.kafka_bootstrap), raw, make_facts(random.Random(7), accounts=ACCOUNTS)
    )
    await scene.found()
    try:
        yield scene
    finally:
        await raw.close()
        await engine.dispose()


async def run(stage: Stage) -> list[Result]:
    """Measure the consumer of facts."""
    async with founded(stage) as scene:
        values, floors = await paired(scene.consume, scene.copy)
    note = f"{FACTS_PER_SAMPLE:,} facts, both views, 4 levels, one consumer process; floor: COPY into a bare table"
    return [rates("ingest", "consumer", unit="facts/s", values=values, floors=floors, note=note)]
