"""A member of a real group, while the group rebalances or its broker stands still."""

import asyncio
import logging

import pytest
from confluent_kafka import Consumer

from deploy.local.kafka import EmbeddedKafka
from shared.kafka.poller import Poller
from shared.kafka.records import TopicPartition
from shared.testing.kafka import KafkaSandbox
from shared.testing.waiting import eventually
from tests.faults.processes import paused
from tests.service.shared import toy

# How long the group waits for a member that does not come back.
SESSION_MS = 6_000


@pytest.fixture
async def member_that_hangs(topics, kafka_bootstrap):
    """A member of the group that is alive and answers no rebalance until its time is up."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka_bootstrap,
            "group.id": topics.access.physical("hinting"),
            "session.timeout.ms": SESSION_MS,
            "max.poll.interval.ms": SESSION_MS,
            "partition.assignment.strategy": "roundrobin",
            "log_level": 0,
        }
    )
    consumer.subscribe([topics.access.physical(toy.EVENTS)])
    yield consumer
    consumer.close()


@pytest.fixture
async def start(topics):
    """Start members of the group, and poll them until the end of the test."""
    stopping = asyncio.Event()
    tasks = []

    async def poll(poller):
        while not stopping.is_set():
            await poller.poll(timeout_ms=100)
        await poller.close()

    async def begin():
        poller = Poller(topics.access, group_id="hinting", topics=[toy.EVENTS])
        await poller.start()
        tasks.append(asyncio.create_task(poll(poller)))
        return poller

    yield begin
    stopping.set()
    await asyncio.gather(*tasks)


async def test_a_hint_during_a_rebalance_does_not_throw_the_member_out_of_the_group_it_joins(
    member_that_hangs, start, caplog
):
    first = await start()
    await eventually(first.assignment, timeout=60)
    await eventually(
        lambda: member_that_hangs.poll(0.05) is None and member_that_hangs.assignment(), timeout=60
    )
    # It joins once the group has given up the one that hangs.
    joining = asyncio.create_task(start())

    async def second_has_joined():
        await first.hint_commits(dict.fromkeys(first.assignment(), 0))
        return joining.done()

    with caplog.at_level(logging.ERROR, logger="aiokafka"):
        await eventually(second_has_joined, timeout=60)
        await eventually(first.assignment, timeout=60)
        # Answered after whatever was told before it.
        await first.hint_commits(dict.fromkeys(first.assignment(), 0))
    assert (await joining).assignment()
    assert "will rejoin" not in caplog.text


@pytest.fixture
def broker(tmp_path):
    """A broker of the test's own, to be stopped where it stands."""
    kafka = EmbeddedKafka(tmp_path / "kafka", fast=True)
    kafka.start()
    yield kafka
    kafka.stop()


async def test_a_broker_that_does_not_answer_is_told_one_position_and_not_one_more_every_second(broker):
    sandbox = KafkaSandbox(broker.bootstrap_servers)
    await sandbox.create_topics({toy.EVENTS: 1})
    member = Poller(sandbox.access, group_id="hinting", topics=[toy.EVENTS])
    await member.start()

    async def joined():
        await member.poll(timeout_ms=100)
        return member.assignment() and member.seconds_since_rebalance() > 0

    await eventually(joined, timeout=60)
    position = dict.fromkeys(member.assignment(), 0)
    await member.hint_commits(position)
    with paused(broker.data_dir, "kafka.Kafka"):
        await member.hint_commits(position)
        # One is under way and given up. Each further one would be waited for as long.
        async with asyncio.timeout(1):
            await member.hint_commits(position)
            await member.hint_commits(position)
    await member.close()


async def test_nothing_is_handed_out_before_its_assignment_was_taken(kafka):
    """A rebalance during a poll puts a partition back to the group's position, whatever was sought before."""
    await kafka.create_topics({toy.STATES: 1})
    for number in range(8):
        await kafka.produce(toy.STATES, b"%d" % number, key=b"lamp")
    place = TopicPartition(toy.STATES, 0)
    member = await _joined(kafka)
    assert await _polled_until_fetched(member, place) == {}
    assert member.take_newly_assigned() == {place}
    member.seek(place, 2)
    assert await _offsets_polled(member, place) == list(range(2, 8))

    await member.hint_commits({place: 5})
    joining = asyncio.create_task(_joined(kafka))
    while not joining.done():
        assert await member.poll(timeout_ms=100) == {}
    await (await joining).close()
    assert await _polled_until_fetched(member, place) == {}
    assert member.take_newly_assigned() == {place}
    member.seek(place, 2)
    assert await _offsets_polled(member, place) == list(range(2, 8))
    await member.close()


async def _joined(kafka):
    poller = Poller(kafka.access, group_id="seeking", topics=[toy.STATES])
    await poller.start()
    return poller


async def _polled_until_fetched(member, place):
    """Poll until the client has fetched of the partition as it is assigned now, and once more."""
    polled = {}
    async with asyncio.timeout(60):
        while not polled and member.highwater(place) is None:
            polled |= await member.poll(timeout_ms=100)
    return polled | await member.poll(timeout_ms=1_000)


async def _offsets_polled(member, place):
    offsets = []
    async with asyncio.timeout(60):
        while not offsets or offsets[-1] < 7:
            offsets += [record.offset for record in (await member.poll(timeout_ms=100)).get(place, ())]
    return offsets
