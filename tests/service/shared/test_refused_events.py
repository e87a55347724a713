"""An event that Kafka refuses for good: what comes behind it waits, whatever batch it would travel in."""

import pytest

from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.test_relay import versions_on_topic


@pytest.fixture
async def topics(kafka):
    await kafka.create_topics({toy.EVENTS: 2, toy.STATES: 2}, settings={"max.message.bytes": "600000"})
    return kafka


async def test_nothing_overtakes_it(topics, publish, relaying, query):
    # More than a batch each: the second and third would travel in batches of their own.
    await publish(toy.Large(thing="lamp", pad="x" * 700_000))
    await publish(toy.Happened(thing="lamp", number=2))
    await publish(toy.Happened(thing="lamp", number=3))
    waiting = "SELECT 1 FROM outbox HAVING count(*) = 3"
    async with relaying():
        await eventually(lambda: query(waiting))
        # The topic has had its turn again when another one goes on after this.
        for number in range(3):
            await publish(toy.ThingState(thing="lamp", number=number))
            await eventually(lambda: query(waiting))
    assert await versions_on_topic(topics) == {}
    assert await query("SELECT aggregateversion FROM outbox ORDER BY seq") == [(1,), (2,), (3,)]
