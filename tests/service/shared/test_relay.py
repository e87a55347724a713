"""The sending side against a real Postgres and a real broker."""

import asyncio
import math
import random
from collections import defaultdict

import asyncpg
import pytest

from shared.kafka.cloudevents import decode
from shared.kafka.producer import Producer
from shared.messaging import relay as relay_module
from shared.messaging.leases import Leases, connect_directly
from shared.messaging.outgoing import to_record
from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.conftest import until_left


async def outbox_is_empty(query):
    return await query("SELECT count(*) FROM outbox") == [(0,)]


async def versions_on_topic(topics, topic=toy.EVENTS):
    """Versions by key, in the order of the log."""
    found = defaultdict(list)
    for record in await topics.read(topic):
        found[record.key.decode()].append(int(record.header("ce_aggregateversion")))
    return found


def first_occurrences(versions):
    return list(dict.fromkeys(versions))


async def test_events_arrive_in_the_order_of_their_versions(publish, relaying, topics, query):
    for number in range(20):
        await publish(*(toy.Happened(thing=f"t{key}", number=number) for key in range(10)))
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    assert await versions_on_topic(topics) == {f"t{key}": list(range(1, 21)) for key in range(10)}


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


async def test_events_near_the_size_limit_travel(publish, relaying, topics, query):
    for number in range(3):
        await publish(
            toy.Happened(thing="t" * 255, number=number), toy.Large(thing="lamp", pad="x" * 800_000)
        )
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    assert (await versions_on_topic(topics))["lamp"] == [1, 2, 3]


async def test_large_events_are_read_a_few_at_a_time(database, publish, relaying, topics, query):
    """What piled up while brokers were away fits into memory, whatever its size."""
    noise = random.Random(7)
    for number in range(8):
        await publish(
            toy.Large(thing="lamp", pad=noise.randbytes(400_000).hex()),
            toy.Renamed(thing="cup", number=number),
        )
    connection = await connect_directly(database.app_url, schema=toy.SERVICE, application_name="looking")
    rows = await connection.fetch(relay_module.FETCH, list(range(16)), [], 500)
    versions = [row["aggregateversion"] for row in rows if row["aggregateid"] == "lamp"]
    size = await connection.fetchval(
        "SELECT pg_column_size(payload) FROM outbox WHERE aggregateid = 'lamp' LIMIT 1"
    )
    await connection.close()
    assert versions == list(range(1, math.ceil(relay_module.BYTES_PER_BUCKET / size) + 1))
    assert len(versions) < 8
    # Whether there may be more is told by what was cut off: a relay then looks at once.
    assert [row["aggregateid"] for row in rows if row["is_cut_after"]] == ["lamp"]
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    assert (await versions_on_topic(topics))["lamp"] == list(range(1, 9))


async def test_a_relay_that_dies_between_acknowledgement_and_delete_repeats_and_loses_nothing(
    database, publish, relaying, topics, query
):
    for number in range(5):
        await publish(*(toy.Happened(thing=f"t{key}", number=number) for key in range(5)))
    connection = await connect_directly(database.app_url, schema=toy.SERVICE, application_name="dying")
    producer = Producer(topics.access, client_id="dying")
    await producer.start()
    rows = await connection.fetch(relay_module.FETCH, list(range(16)), [], 500)
    delivery = await producer.deliver([to_record(row) for row in rows])
    assert not delivery.failed
    connection.terminate()
    await producer.close()
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    found = await versions_on_topic(topics)
    assert sum(map(len, found.values())) == 50
    assert {key: first_occurrences(versions) for key, versions in found.items()} == {
        f"t{key}": [1, 2, 3, 4, 5] for key in range(5)
    }


async def test_two_relays_share_the_buckets_and_one_takes_over_from_the_other(relay, publish, topics, query):
    first, second = relay(lanes=1), relay(lanes=1)
    async with until_left(second.run):
        async with until_left(first.run):
            await eventually(lambda: first.owned() == second.owned() == 8)
            await publish(*(toy.Happened(thing=f"t{key}", number=1) for key in range(50)))
            await eventually(lambda: outbox_is_empty(query))
        await eventually(lambda: second.owned() == 16)
        await publish(*(toy.Happened(thing=f"t{key}", number=2) for key in range(50)))
        await eventually(lambda: outbox_is_empty(query))
    assert await versions_on_topic(topics) == {f"t{key}": [1, 2] for key in range(50)}


async def test_a_frozen_owner_loses_its_session_and_can_no_longer_delete(database, relay, publish, query):
    """As after SIGSTOP: the session is ended from outside, and the zombie finds out at its next statement."""
    frozen = await connect_directly(database.app_url, schema=toy.SERVICE, application_name="frozen")
    leases = Leases(frozen, name=f"{toy.SERVICE}.outbox")
    await leases.announce()
    await leases.balance()
    assert len(leases.owned) == 16
    await frozen.execute("SET idle_session_timeout = '200ms'")
    await publish(toy.Happened(thing="lamp", number=1))
    fresh = relay(lanes=1)
    async with until_left(fresh.run):
        await eventually(lambda: fresh.owned() == 16)
        await eventually(lambda: outbox_is_empty(query))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await frozen.execute("DELETE FROM outbox")


async def test_a_session_cut_from_outside_is_replaced(relaying, database, publish, topics, query):
    async with relaying():
        await publish(toy.Happened(thing="lamp", number=1))
        await eventually(lambda: outbox_is_empty(query))
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            f"{toy.SERVICE}.relay",
        )
        await admin.close()
        await publish(toy.Happened(thing="lamp", number=2))
        await eventually(lambda: outbox_is_empty(query))
    assert first_occurrences((await versions_on_topic(topics))["lamp"]) == [1, 2]


async def test_a_driver_between_two_states_ends_the_session_and_not_the_relay(
    relaying, publish, query, monkeypatch
):
    """What asyncpg reports when the server ends the session just as a statement is sent."""
    ordinary, cut = relay_module.Lane.run, []

    async def cut_once(lane, stopping):
        if not cut:
            cut.append(lane)
            raise asyncpg.InternalClientError(
                "cannot switch to state 12; another operation (2) is in progress"
            )
        await ordinary(lane, stopping)

    monkeypatch.setattr(relay_module.Lane, "run", cut_once)
    await publish(toy.Happened(thing="lamp", number=1))
    async with relaying():
        await eventually(lambda: outbox_is_empty(query))
    assert cut


async def test_rows_of_a_topic_that_does_not_exist_wait_and_hold_up_nobody(
    relaying, publish, topics, query, monkeypatch
):
    monkeypatch.setattr("shared.kafka.producer.METADATA_SECONDS", 0.5)
    await publish(toy.Homeless(thing="lamp", number=1), toy.Happened(thing="lamp", number=1))
    async with relaying():
        await eventually(lambda: query("SELECT 1 WHERE (SELECT count(*) FROM outbox) = 1"))
        assert await query("SELECT aggregatetype FROM outbox") == [(toy.Homeless.TOPIC,)]
        await topics.create_topics({toy.Homeless.TOPIC: 1})
        await eventually(lambda: outbox_is_empty(query), timeout=40)
    assert len(await topics.read(toy.Homeless.TOPIC)) == 1


@pytest.mark.parametrize("heartbeat", [0.05, 30.0])
async def test_a_stopping_relay_leaves_within_its_patience_while_nobody_acknowledges(
    database, publish, query, monkeypatch, heartbeat
):
    """Brokers away for longer than a grace period: rows stay, the process goes."""

    class Silent:
        def __init__(self):
            self.called = asyncio.Event()

        async def start(self):
            pass

        async def close(self):
            return True

        async def deliver(self, _records):
            self.called.set()
            await asyncio.Event().wait()

    # Patience is counted from when it was told, however seldom the session is kept alive.
    monkeypatch.setattr(relay_module, "HEARTBEAT_SECONDS", heartbeat)
    monkeypatch.setattr(relay_module, "PATIENCE_AT_STOP", 0.1)
    await publish(toy.Happened(thing="lamp", number=1))
    producer = Silent()
    options = relay_module.RelayOptions(service=toy.SERVICE, database_url=database.app_url)
    async with asyncio.timeout(20), until_left(relay_module.Relay(options, lambda: producer, lanes=1).run):
        await producer.called.wait()
    assert await query("SELECT count(*) FROM outbox") == [(1,)]
