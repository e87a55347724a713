"""The reading side against a real Postgres and a real broker: what Kafka does to us, and what we make of it."""

import asyncio
import json
from collections import Counter

import pytest
from prometheus_client import REGISTRY

from shared.kafka.poller import Poller
from shared.messaging import metrics, waiting
from shared.messaging.batches import Batches
from shared.messaging.consumer import Consumer
from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.conftest import until_left


async def send(topics, event, version, *, key=None, topic=None, value=None, partition=0):
    """Put one record on a topic as if a relay had sent it."""
    await topics.produce(
        topic or event.TOPIC,
        event.model_dump_json().encode() if value is None else value,
        key=(key or event.key).encode(),
        headers=toy.headers_of(event, version),
        partition=partition,
    )


@pytest.fixture
def entries(query):
    async def read(key=None):
        rows = await query("SELECT key, version FROM ledger ORDER BY entry")
        return [version for found, version in rows if found == key] if key else rows

    return read


async def test_what_one_service_writes_another_applies_once_and_in_order(
    publish, relaying, consumer, ledger, entries
):
    for number in range(5):
        await publish(
            *(toy.Happened(thing=f"t{key}", number=number) for key in range(8)),
            *(toy.Renamed(thing=f"t{key}", number=number) for key in range(8)),
        )
    async with relaying(), until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 80))
    for key in range(8):
        assert await entries(f"t{key}") == list(range(1, 11))


async def test_repeated_records_are_applied_once(topics, consumer, ledger, entries):
    event = toy.Happened(thing="lamp", number=1)
    for version in (1, 2, 1, 2, 2, 3):
        await send(topics, event, version)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 3))
    assert await entries("lamp") == [1, 2, 3]


async def test_a_skipped_version_parks_the_key_and_its_arrival_heals_it(
    topics, consumer, ledger, entries, query
):
    event = toy.Happened(thing="lamp", number=1)
    for version in (1, 3, 4):
        await send(topics, event, version)
    await send(topics, toy.Happened(thing="chair", number=1), 1)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 2))
        assert await query("SELECT aggregateid, reason FROM parked_keys") == [("lamp", "gap")]
        assert await query("SELECT version FROM parked_records ORDER BY version") == [(3,), (4,)]
        await send(topics, event, 2)
        await eventually(lambda: _count(entries, 5))
    assert await entries("lamp") == [1, 2, 3, 4]
    assert await query("SELECT aggregateid FROM parked_keys") == []
    assert await query("SELECT version FROM parked_records") == []


async def test_types_that_nobody_handles_still_count(topics, consumer, ledger, entries):
    await send(topics, toy.Happened(thing="lamp", number=1), 1)
    await send(topics, toy.Stranger(thing="lamp", number=2), 2)
    await send(topics, toy.Happened(thing="lamp", number=3), 3)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 2))
    assert await entries("lamp") == [1, 3]


async def test_the_newest_state_wins_and_a_tombstone_removes(topics, consumer, ledger, query):
    state = toy.ThingState(thing="lamp", number=1)
    for version in (1, 5, 3):
        await send(topics, state, version)
    async with until_left(consumer(ledger.states()).run):
        await eventually(lambda: query("SELECT 1 FROM ledger WHERE version = 5"))
        await topics.produce(toy.STATES, None, key=b"lamp", headers=toy.headers_of(state, 6), partition=0)
        await send(topics, state, 4)
        await eventually(lambda: query("SELECT 1 FROM ledger WHERE what = 'gone'"))
    assert await query("SELECT max(version), count(*) FILTER (WHERE version IN (3, 4)) FROM ledger") == [
        (6, 0)
    ]


@pytest.mark.parametrize(
    ("value", "key", "stage"),
    [
        (b"\xff\x00 no json", b"lamp", b"VALUE_CONVERTER"),
        (b'{"thing": "lamp"}', b"lamp", b"VALUE_CONVERTER"),
        (b'{"thing": "lamp", "number": 1}', None, b"KEY_CONVERTER"),
        (b'{"thing": "lamp", "number": 1}', b"\xff\xfe", b"KEY_CONVERTER"),
        (b'{"thing": "lamp", "number": 1}', b"a\x00b", b"KEY_CONVERTER"),
    ],
)
async def test_what_cannot_be_read_goes_to_the_dead_letters_byte_for_byte(
    topics, consumer, relaying, ledger, entries, value, key, stage
):
    event = toy.Happened(thing="lamp", number=1)
    headers = [*toy.headers_of(event, 1), ("strange\x01", b"\xff\x00"), ("empty", None)]
    await topics.produce(toy.EVENTS, value, key=key, headers=headers, partition=0)
    await send(topics, toy.Happened(thing="chair", number=1), 1)
    letters = f"{toy.EVENTS}.{toy.READER}.dlq"
    async with relaying(), until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 1))
        await eventually(lambda: topics.read(letters))
    [letter] = await topics.read(letters)
    assert (letter.key, letter.value) == (key, value)
    assert letter.headers[: len(headers)] == tuple(headers)
    assert letter.header("__connect.errors.stage") == stage
    assert letter.header("__connect.errors.topic") == toy.EVENTS.encode()
    assert letter.header("__connect.errors.offset") == b"0"
    assert letter.header("dlq_attempt") == b"1"


async def test_a_refused_event_parks_its_key_and_the_others_flow(
    topics, consumer, relaying, ledger, entries, query
):
    ledger.refuse = {"lamp"}
    for version in (1, 2):
        for thing in ("chair", "lamp", "table"):
            await send(topics, toy.Happened(thing=thing, number=version), version)
    async with relaying(), until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 4))
        [letter] = await eventually(lambda: topics.read(f"{toy.EVENTS}.{toy.READER}.dlq"))
    assert await entries("chair") == await entries("table") == [1, 2]
    assert await query("SELECT aggregateid, reason FROM parked_keys") == [("lamp", "failed")]
    parked = await query("SELECT version, error FROM parked_records ORDER BY version")
    assert parked == [(1, "cannot cope with ['lamp']"), (2, None)]
    assert letter.header("__connect.errors.exception.class.name").endswith(b".Bug")
    assert json.loads(letter.value) == {"thing": "lamp", "number": 1}


async def test_foreign_facts_are_applied_as_they_come(topics, consumer, ledger, entries):
    for number in (1, 2):
        await send(topics, toy.Fact(thing="lamp", number=number), None)
    async with until_left(consumer(ledger.facts()).run):
        await eventually(lambda: _count(entries, 2))


async def test_the_offset_in_postgres_outranks_the_groups(topics, consumer, ledger, entries):
    """A stale, rewound or reset group offset must neither lose nor repeat a record."""
    for version in (1, 2, 3):
        await send(topics, toy.Happened(thing="lamp", number=version), version)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 3))
    for claimed in (0, 5):
        for version in (4, 5) if claimed == 0 else (6, 7):
            await send(topics, toy.Happened(thing="lamp", number=version), version)
        await topics.commit_offset(toy.READER, toy.EVENTS, 0, claimed)
        expected = 5 if claimed == 0 else 7
        async with until_left(consumer(ledger.events()).run):
            await eventually(lambda expected=expected: _count(entries, expected))
    assert await entries("lamp") == [1, 2, 3, 4, 5, 6, 7]


async def test_a_restored_database_is_caught_up(topics, consumer, ledger, entries, query):
    for version in (1, 2, 3):
        await send(topics, toy.Happened(thing="lamp", number=version), version)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 3))
        await query("UPDATE consumer_offsets SET next_offset = 1 WHERE partition = 0")
        await query("UPDATE consumer_watermarks SET version = 1")
        await query("DELETE FROM ledger WHERE version > 1")
        await send(topics, toy.Happened(thing="lamp", number=4), 4)
        await eventually(lambda: _count(entries, 4))
    assert await entries("lamp") == [1, 2, 3, 4]


async def test_a_truncated_log_stops_the_partition_and_says_so(topics, consumer, ledger, entries, query):
    for version in (1, 2, 3, 4):
        await send(topics, toy.Happened(thing="lamp", number=version), version)
        await send(topics, toy.Happened(thing="chair", number=version), version, partition=1)
    await query(
        "INSERT INTO consumer_offsets (consumer, topic, partition, next_offset) VALUES (:c, :t, 0, 1)",
        c=toy.READER,
        t=toy.EVENTS,
    )
    await topics.delete_records(toy.EVENTS, 0, before=2)
    reader = consumer(ledger.events())
    async with until_left(reader.run):
        await eventually(lambda: _count(entries, 4))
        stopped = await eventually(reader.stopped)
    assert [(place.partition, "are gone" in reason) for place, reason in stopped.items()] == [(0, True)]
    assert await entries("lamp") == []


async def test_a_partition_in_trouble_is_tried_again_and_the_others_flow(topics, consumer, ledger, entries):
    """A batch spans partitions; giving one of them back must not drop, repeat or hold up the rest."""
    enter, in_trouble, tries = ledger.enter, True, 0

    async def enter_unless_in_trouble(received, uow):
        nonlocal tries
        if in_trouble and received[0].partition == 0:
            tries += 1
            raise ConnectionResetError("the database went away")
        await enter(received, uow)

    subscription = toy.Subscription(toy.EVENTS, {toy.Happened: enter_unless_in_trouble})
    for version in (1, 2):
        await send(topics, toy.Happened(thing="lamp", number=version), version)
    async with until_left(consumer(subscription).run):
        await eventually(lambda: tries > 1)
        for version in (1, 2):
            await send(topics, toy.Happened(thing="chair", number=version), version, partition=1)
        await eventually(lambda: _count(entries, 2))
        assert await entries("chair") == [1, 2]
        in_trouble = False
        await send(topics, toy.Happened(thing="lamp", number=3), 3)
        await eventually(lambda: _count(entries, 5))
    assert await entries("lamp") == [1, 2, 3]


async def test_a_partition_that_falls_behind_is_read_no_further_and_the_others_flow(
    topics, consumer, ledger, entries, monkeypatch
):
    """What waits for a partition is bounded: it is paused when a transaction of its own waits, and read on later."""
    monkeypatch.setattr(waiting, "MAX_RECORDS", 3)
    pause, paused, entered, may_go_on = Poller.pause, set(), asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(Poller, "pause", lambda self, places: pause(self, paused.update(places) or places))

    async def enter_slowly(received, uow):
        if received[0].partition == 0:
            entered.set()
            await may_go_on.wait()
        await ledger.enter(received, uow)

    subscription = toy.Subscription(toy.EVENTS, {toy.Happened: enter_slowly})
    await send(topics, toy.Happened(thing="lamp", number=1), 1)
    async with until_left((reader := consumer(subscription)).run):
        await entered.wait()
        for version in range(2, 21):
            await send(topics, toy.Happened(thing="lamp", number=version), version)
        await eventually(lambda: [place.partition for place in paused] == [0])
        for version in range(1, 4):
            await send(topics, toy.Happened(thing="chair", number=version), version, partition=1)
        await eventually(lambda: _count(entries, 3))
        assert await entries("lamp") == []
        may_go_on.set()
        await eventually(lambda: _count(entries, 23))
        # Read on, and not only applied from what had come before.
        await send(topics, toy.Happened(thing="lamp", number=21), 21)
        await eventually(lambda: _count(entries, 24))
    assert reader.stopped() == {}
    assert await entries("lamp") == list(range(1, 22))


async def test_a_second_member_takes_its_share_and_nothing_is_applied_twice(
    topics, consumer, ledger, entries
):
    first, second = consumer(ledger.events()), consumer(ledger.events())
    async with until_left(first.run):
        for version in range(1, 6):
            await send(topics, toy.Happened(thing="lamp", number=version), version)
        await eventually(lambda: _count(entries, 5))
        async with until_left(second.run):
            await eventually(lambda: len(first.assignment()) == len(second.assignment()) == 1)
            for version in range(1, 6):
                await send(topics, toy.Happened(thing="chair", number=version), version, partition=1)
                await send(topics, toy.Happened(thing="lamp", number=version + 5), version + 5)
            await eventually(lambda: _count(entries, 15))
    assert await entries("lamp") == list(range(1, 11))
    assert await entries("chair") == list(range(1, 6))


async def test_what_is_counted_begins_at_zero_and_a_partition_that_left_tells_no_lag(
    topics, consumer, ledger
):
    """An alarm on an increase sees none in a series that begins with its first event; lag is the next owner's to tell."""
    counted = {"consumer": toy.READER, "topic": toy.EVENTS}
    # What consumers of other tests told last, in this process.
    metrics.LAG.clear()
    reading = consumer(ledger.events())
    for name in ("applied", "duplicates", "gaps", "diverged", "parked", "dead_letters"):
        assert REGISTRY.get_sample_value(f"bailiwick_consumer_{name}_total", counted) is not None, name
    for partition, thing in enumerate(("lamp", "chair")):
        await send(topics, toy.Happened(thing=thing, number=1), 1, partition=partition)
    other = Poller(topics.access, group_id=toy.READER, topics=[toy.EVENTS])
    async with until_left(reading.run):
        await eventually(lambda: _lags({0, 1}))
        await other.start()
        polling = asyncio.ensure_future(_poll_for_ever(other))
        await eventually(
            lambda: _lags({place.partition for place in reading.assignment()}, number=1), timeout=60
        )
        polling.cancel()
        await other.close()


async def _poll_for_ever(poller):
    while True:
        await poller.poll(timeout_ms=100)


def _lagging():
    labels = {"consumer": toy.READER, "topic": toy.EVENTS}
    told = {
        p: REGISTRY.get_sample_value("bailiwick_consumer_lag_records", {**labels, "partition": str(p)})
        for p in (0, 1)
    }
    return {partition for partition, lag in told.items() if lag is not None}


async def _lags(partitions, *, number=2):
    return _lagging() == partitions and len(partitions) == number


async def test_a_consumer_without_its_topics_is_not_ready_and_stops_when_told(
    kafka, engine, clock, ledger, monkeypatch
):
    monkeypatch.setattr("shared.messaging.consumer.TOPIC_CHECK_SECONDS", 0.1)
    reader = Consumer(
        toy.READER, [ledger.events()], engine=engine, clock=clock, access=kafka.access, source="/toy"
    )
    async with until_left(reader.run):
        await kafka.create_topics({toy.EVENTS: 1})
        assert not reader.ready
        await kafka.create_topics({f"{toy.EVENTS}.{toy.READER}.dlq": 1})
        await eventually(lambda: reader.ready)


async def test_no_progress_for_a_minute_shows(topics, consumer, ledger, entries, monkeypatch):
    """A hung client keeps its partitions for ever; liveness must see it."""
    await send(topics, toy.Happened(thing="lamp", number=1), 1)
    reader = consumer(ledger.events())
    async with until_left(reader.run):
        await eventually(lambda: _count(entries, 1))
        await eventually(lambda: not reader.stalled())
        monkeypatch.setattr("shared.messaging.consumer.STALLED_SECONDS", -1)
        assert reader.stalled() == []
        monkeypatch.setattr(reader._poller, "highwater", lambda _place: 99)
        assert {place.topic for place in reader.stalled()} == {toy.EVENTS}


async def _count(entries, number):
    return len(await entries()) == number


async def test_a_start_that_postgres_did_not_answer_is_looked_up_again(
    topics, consumer, ledger, entries, query, monkeypatch
):
    event = toy.Happened(thing="lamp", number=1)
    for version in (1, 2, 3):
        await send(topics, event, version)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 3))
    # Postgres goes back to before it all; the group's position stays at the end, so nothing more is delivered there.
    await query("DELETE FROM ledger")
    await query("DELETE FROM consumer_watermarks")
    await query("UPDATE consumer_offsets SET next_offset = 0")
    answer, asked = Batches.begin, Counter()

    async def away_at_first(batches, place, *, at):
        asked[place] += 1
        if asked[place] == 1:
            raise ConnectionRefusedError("away")
        return await answer(batches, place, at=at)

    monkeypatch.setattr(Batches, "begin", away_at_first)
    async with until_left(consumer(ledger.events()).run):
        await eventually(lambda: _count(entries, 3))
    assert await entries("lamp") == [1, 2, 3]
