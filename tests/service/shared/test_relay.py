"""The sending side against a real Postgres and a real broker."""

from collections import defaultdict

from shared.kafka.cloudevents import decode
from shared.testing.waiting import eventually
from tests.service.shared import toy


async def outbox_is_empty(query):
    return await query("SELECT count(*) FROM outbox") == [(0,)]


async def versions_on_topic(topics, topic):
    """Versions by key, in the order of the log."""
    found = defaultdict(list)
    for record in await topics.read(topic):
        found[record.key.decode()].append(int(record.header("ce_aggregateversion")))
    return found


async def test_events_arrive_in_the_order_of_their_versions(publish, relaying, topics, query):
    for number in range(20):
        await publish(*(toy.Happened(thing=f"t{key}", number=number) for key in range(10)))
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    assert await versions_on_topic(topics, toy.EVENTS) == {f"t{key}": list(range(1, 21)) for key in range(10)}


async def test_an_event_travels_as_a_cloudevent(publish, relaying, topics, query):
    await publish(toy.Happened(thing="lamp", number=7))
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    [record] = await topics.read(toy.EVENTS)
    envelope = decode(record.headers)
    assert (envelope.type, envelope.subject, envelope.source) == (toy.Happened.TYPE, "lamp", "/toy")
    assert (envelope.aggregateversion, record.key) == (1, b"lamp")
    assert envelope.correlationid
    assert envelope.time
    assert toy.Happened.model_validate_json(record.value) == toy.Happened(thing="lamp", number=7)
