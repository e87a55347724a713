"""Every past version of every event goes through today's consumers: handled, and neither a dead letter nor parked.

The corpus is not only parsed. Each example is put through the handlers of each consumer that subscribes to it, against
the service's real schema, the way the consumer's loop does it.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from importlib import import_module

import pytest
from sqlalchemy import text

from shared.contracts.envelope import Envelope, EventContract
from shared.contracts.examples import examples_of
from shared.contracts.registry import CONTRACTS
from shared.contracts.topics import CONSUMERS as TOLD
from shared.kafka import cloudevents
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.batches import Batches
from shared.messaging.subscription import Subscription
from shared.testing.databases import Databases, ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from tests.contract.snapshots import SERVICES

CONSUMERS = {
    (service, consumer): tuple(subscriptions)
    for service in SERVICES
    for consumer, subscriptions in import_module(f"services.{service}.consumers").CONSUMERS.items()
}
_DEAD = "SELECT aggregateid, CAST(payload AS text) FROM outbox WHERE type = 'bailiwick.dead-letter.v1'"
_PARKED = "SELECT aggregateid, error FROM parked_records"


@pytest.fixture(scope="module")
async def schemas(databases: Databases) -> AsyncIterator[dict[str, ServiceDatabase]]:
    made = {service: await databases.for_service(service) for service in SERVICES}
    yield made
    for database in made.values():
        await databases.drop(database)


def history(subscription: Subscription) -> list[IncomingRecord]:
    """Return all examples of a topic in one partition: the order of the registry, the oldest shape first."""
    versions: Counter[str] = Counter()
    records: list[IncomingRecord] = []
    for contract in CONTRACTS.values():
        if subscription.topic == contract.TOPIC:
            for payload in examples_of(contract.TYPE):
                event = contract.model_validate(payload)
                versions[event.key] += 1
                records.append(record(event, len(records), versions[event.key], payload))
    return records


def record(event: EventContract, offset: int, version: int, payload: object) -> IncomingRecord:
    envelope = Envelope(
        id=f"{event.TYPE}-{offset}",
        source="/example/corpus",
        type=event.TYPE,
        subject=event.key,
        aggregateversion=version,
    )
    # The bytes as they went out, not as today's contract would write them.
    value = json.dumps(payload).encode()
    return IncomingRecord(event.TOPIC, 0, offset, event.key.encode(), value, cloudevents.encode(envelope))


@pytest.mark.parametrize(("service", "consumer"), CONSUMERS, ids=[name for _, name in CONSUMERS])
async def test_every_past_event_is_applied(
    service: str, consumer: str, schemas: dict[str, ServiceDatabase], clock: FrozenClock
):
    engine = schemas[service].build_engine(pool_size=4)
    for subscription in CONSUMERS[service, consumer]:
        batches = Batches(consumer, subscription, engine=engine, clock=clock, source=f"/test/{service}")
        place = TopicPartition(subscription.topic, 0)
        await batches.begin(place, at=0)
        handled = 0
        for each in history(subscription):
            outcome = await batches.apply(place, [each])
            told = (each.topic, dict(each.headers)["ce_type"], outcome)
            assert (outcome.dead, outcome.parked, outcome.gaps, outcome.duplicates) == (0, 0, 0, 0), told
            handled += outcome.applied
        known = sum(len(examples_of(contract.TYPE)) for contract in subscription.handlers)
        assert handled == known > 0
    async with engine.begin() as connection:
        for left_over in (_DEAD, _PARKED):
            assert [tuple(row) for row in await connection.execute(text(left_over))] == []
    await engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
def test_no_consumer_is_left_out(service: str):
    assert {name for of, name in CONSUMERS if of == service} == set(TOLD[service])
    for (of, name), subscriptions in CONSUMERS.items():
        if of == service:
            assert {subscription.topic for subscription in subscriptions} == set(TOLD[service][name])
