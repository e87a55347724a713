"""ingest/consumer: facts from Kafka into the roll-ups, against raw COPY of the same rows into a bare table."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.consumers import CONSUMERS
from services.metrics.facts.fact_row import FactRow, row_of
from shared.contracts.envelope import Envelope
from shared.contracts.sales import FACTS, Fact, FactsRecorded
from shared.db.transact import Transactor
from shared.kafka.cloudevents import encode
from shared.messaging.consumer import Consumer
from shared.messaging.subscription import dead_letter_topic
from shared.runtime.clock import SystemClock
from shared.testing.kafka import KafkaSandbox
from shared.testing.waiting import eventually
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage
from tests.service.metrics.telling import activated, aligned, tree

FACTS_PER_SAMPLE, PER_RECORD, ACCOUNTS, LEAVES = 40_000, 500, 5_000, 60
CONSUMER = "metrics.facts"
SINCE = datetime(2025, 11, 1, tzinfo=UTC)


@dataclass(slots=True)
class Scene:
    """A metrics database with a tree and aligned accounts, its topic, and a bare table beside it."""

    engine: AsyncEngine
    sandbox: KafkaSandbox
    raw: asyncpg.Connection
    dice: random.Random

    async def found(self) -> None:
        """Put a tree of 1 + 4 + 12 + 60 territories in force and align the accounts."""
        await self.sandbox.create_topics({FACTS: 8, dead_letter_topic(FACTS, CONSUMER): 1})
        parents = {"root": None, **{f"region {n}": "root" for n in range(4)}}
        parents |= {f"area {n}": f"region {n % 4}" for n in range(12)}
        parents |= {f"leaf {n}": f"area {n % 12}" for n in range(LEAVES)}
        published = tree(parents)
        transact = Transactor(self.engine, SystemClock(), "/bench/metrics")
        await transact(record_trees, [published])
        await transact(record_activations, [activated(published, sequence=1, effective_at=SINCE)])
        moves = [aligned(f"a{n}", f"leaf {n % LEAVES}", version=1, valid_from=SINCE) for n in range(ACCOUNTS)]
        await transact(record_alignments, moves)
        await self.raw.execute("CREATE TABLE public.bare (LIKE metrics.facts, PRIMARY KEY (entity_key))")

    def new_facts(self) -> list[Fact]:
        """Return orders and opportunities of a year."""
        return [self._fact() for _ in range(FACTS_PER_SAMPLE)]

    def _fact(self) -> Fact:
        kind = self.dice.choice(("order", "order", "opportunity", "lead"))
        at = SINCE + timedelta(seconds=self.dice.randrange(365 * 86_400))
        money = kind != "lead"
        return Fact(
            source="bench",
            kind=kind,
            external_id=f"{self.dice.getrandbits(64):x}",
            revision=1,
            created_at=at,
            occurred_at=at,
            account_external_id=f"a{self.dice.randrange(ACCOUNTS)}",
            stage="won" if kind == "opportunity" else None,
            amount=f"{self.dice.randrange(100, 900_000) / 100:.2f}" if money else None,
            currency="USD" if money else None,
        )

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
        rows = [row_of(fact) for fact in self.new_facts()]
        now = datetime.now(UTC)
        started = time.perf_counter()
        for start in range(0, len(rows), 5_000):
            await self.raw.copy_records_to_table(
                "bare",
                schema_name="public",
                columns=[*FactRow._fields, "day", "recorded_at"],
                records=[(*row, row.occurred_at.date(), now) for row in rows[start : start + 5_000]],
            )
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
    scene = Scene(engine, KafkaSandbox(stage.kafka_bootstrap), raw, random.Random(7))
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
