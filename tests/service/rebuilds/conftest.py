"""One projection of a real service: its live tables, a topic, and whoever rebuilds the one from the other."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from services.assignment.consumers import CONSUMERS as ASSIGNMENT
from services.collab.consumers import CONSUMERS as COLLAB
from services.metrics.consumers import CONSUMERS as METRICS
from shared.db.engine import build_engine
from shared.kafka.log import open_log
from shared.kafka.producer import Producer
from shared.messaging.batches import Batches
from shared.messaging.projection import Projection
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.testing.databases import ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.kafka import KafkaSandbox
from tests.conftest import NewDatabase
from tests.service.rebuilds.histories import History
from tests.service.shared.operators import Operator

ALL = {**ASSIGNMENT, **METRICS, **COLLAB}
PROJECTIONS = [
    (consumer, subscription.topic)
    for consumer, subscriptions in ALL.items()
    for subscription in subscriptions
    if isinstance(subscription.keeps, Projection)
]
PARTITIONS = 3


@dataclass
class Stage:
    """A projection in a database and on a broker of its own."""

    consumer: str
    subscription: Subscription
    database: ServiceDatabase
    kafka: KafkaSandbox
    operator: Operator
    history: History

    @property
    def topic(self) -> str:
        return self.subscription.topic

    @property
    def tables(self) -> tuple[str, ...]:
        assert isinstance(self.subscription.keeps, Projection)
        return self.subscription.keeps.tables

    async def publish(self, events: int) -> None:
        """Tell more on the topic."""
        producer = Producer(self.kafka.access, client_id="history")
        await producer.start()
        delivery = await producer.deliver(self.history.tell(events))
        await producer.close()
        assert not delivery.failed

    async def apply(self, seed: int) -> None:
        """Have the live consumer read to the end, in batches as they come."""
        draw = random.Random(seed)
        engine = self.database.build_engine()
        batches = Batches(
            self.consumer, self.subscription, engine=engine, clock=FrozenClock(), source="/test"
        )
        async with open_log(self.kafka.access, client_id="live") as log:
            for place, end in (await log.ends(log.partitions_of(self.topic))).items():
                begin = await batches.begin(place, at=0)
                async for records in log.read(place, begin=begin, end=end):
                    rest = records
                    while rest:
                        size = draw.randint(1, 40)
                        await batches.apply(place, rest[:size])
                        rest = rest[size:]
        await engine.dispose()

    async def rebuild(self, *words: str) -> list[dict[str, Any]]:
        """Say `projection rebuild`."""
        return await self.operator.say(
            "projection",
            "rebuild",
            self.consumer,
            self.topic,
            *words,
            consumers={self.consumer: [self.subscription]},
        )

    async def query(self, sql: str, *, owner: bool = False) -> list[tuple[Any, ...]]:
        """Ask the database, as the app does."""
        url = self.database.owner_url if owner else self.database.app_url
        engine = build_engine(url, schema=self.database.service, application_name="test", pool_size=1)
        try:
            async with engine.begin() as connection:
                found = await connection.execute(text(sql))
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            await engine.dispose()

    async def contents(self) -> dict[str, bytes]:
        """The rows of every table as COPY writes them, in the order of their text."""
        connection = await asyncpg.connect(self.database.owner_url)
        try:
            return {
                table: "\n".join(
                    row[0] for row in await connection.fetch(f"SELECT t::text FROM {table} AS t ORDER BY 1")
                ).encode()
                for table in self.tables
            }
        finally:
            await connection.close()


NewStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
def stage(service_database: NewDatabase, kafka: KafkaSandbox, capsys: pytest.CaptureFixture[str]) -> NewStage:
    async def make(consumer: str, topic: str, *, seed: int = 1) -> Stage:
        database = await service_database(consumer.split(".", maxsplit=1)[0])
        [subscription] = [s for s in ALL[consumer] if s.topic == topic]
        names = {topic: PARTITIONS, dead_letter_topic(topic, consumer): 1}
        await kafka.create_topics(names, settings={"retention.ms": "-1"})
        operator = Operator(database, kafka, capsys)
        return Stage(consumer, subscription, database, kafka, operator, History(topic, seed))

    return make
