"""The toy service's database, topics, relay and consumer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import EventContract
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.producer import Producer
from shared.messaging.batches import Batches
from shared.messaging.consumer import Consumer
from shared.messaging.relay import Relay, RelayOptions
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.testing.databases import Databases, ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.kafka import KafkaSandbox
from tests.service.shared import toy
from tests.service.shared.batches import place
from tests.service.shared.operators import Operator

Query = Callable[..., Awaitable[list[tuple[Any, ...]]]]
Running = AbstractAsyncContextManager[Any]


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[ServiceDatabase]:
    made = await databases.with_statements(toy.SERVICE, toy.STATEMENTS)
    yield made
    await databases.drop(made)


@pytest.fixture
async def engine(database: ServiceDatabase) -> AsyncIterator[AsyncEngine]:
    made = database.build_engine(pool_size=8)
    yield made
    await made.dispose()


@pytest.fixture
def query(engine: AsyncEngine) -> Query:
    async def run(sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        async with engine.begin() as connection:
            found = await connection.execute(text(sql), parameters)
            return [tuple(row) for row in found] if found.returns_rows else []

    return run


@pytest.fixture
def publish(engine: AsyncEngine, clock: FrozenClock) -> Callable[..., Awaitable[None]]:
    """Announce events, all in one transaction."""
    transact = Transactor(engine=engine, clock=clock, source="/toy")

    async def announce(events: Sequence[EventContract], uow: UnitOfWork) -> None:
        uow.outbox.add_all(events)

    async def run(*events: EventContract) -> None:
        await transact(announce, events)

    return run


@pytest.fixture
async def topics(kafka: KafkaSandbox) -> KafkaSandbox:
    names = [toy.EVENTS, toy.STATES, toy.FACTS, toy.ECHOES]
    letters = {dead_letter_topic(name, toy.READER): 1 for name in names}
    await kafka.create_topics({**dict.fromkeys(names, 2), **letters})
    return kafka


@asynccontextmanager
async def until_left(run: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run something beside the block and stop it in an orderly way at the end."""
    stopping = asyncio.Event()
    task = asyncio.ensure_future(run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


@pytest.fixture
def relay(database: ServiceDatabase, topics: KafkaSandbox) -> Callable[..., Relay]:
    def make(lanes: int = 2) -> Relay:
        options = RelayOptions(service=toy.SERVICE, database_url=database.app_url)
        return Relay(options, lambda: Producer(topics.access, client_id="toy.relay"), lanes=lanes)

    return make


@pytest.fixture
def relaying(relay: Callable[..., Relay]) -> Callable[[], Running]:
    return lambda: until_left(relay().run)


@pytest.fixture
def consumer(engine: AsyncEngine, clock: FrozenClock, topics: KafkaSandbox) -> Callable[..., Consumer]:
    def make(*subscriptions: Subscription) -> Consumer:
        return Consumer(
            toy.READER, subscriptions, engine=engine, clock=clock, access=topics.access, source="/toy"
        )

    return make


@pytest.fixture
def ledger() -> toy.Ledger:
    return toy.Ledger()


@pytest.fixture
async def batches(engine: AsyncEngine, clock: FrozenClock, ledger: toy.Ledger) -> Batches:
    """What applies records of the toy's events, begun at the first partition."""
    made = Batches(toy.READER, ledger.events(), engine=engine, clock=clock, source="/toy")
    await made.begin(place(toy.EVENTS), at=0)
    return made


@pytest.fixture
def operator(database: ServiceDatabase, capsys: pytest.CaptureFixture[str]) -> Operator:
    """An operator who needs no broker."""
    return Operator(database, None, capsys)


@pytest.fixture
def say(operator: Operator, ledger: toy.Ledger) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Say words after `events dlq`, to the ledger as it is then."""

    async def run(*words: str) -> list[dict[str, Any]]:
        return await operator.say("dlq", *words, consumers={toy.READER: [ledger.events()]})

    return run
