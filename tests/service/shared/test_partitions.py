"""A partition whose log has not what is read next: operators see it, and go on knowing what is lost."""

import pytest

from shared.messaging.consumer import Consumer
from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.batches import place
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import AUDIT, Operator

PARTITION = (toy.READER, toy.EVENTS, "0")


@pytest.fixture
def ledger():
    return toy.Ledger()


@pytest.fixture
def operator(database, topics, capsys):
    return Operator(database, topics, capsys)


@pytest.fixture
def say(operator, ledger):
    async def run(*words):
        return await operator.say("partition", *words, consumers={toy.READER: [ledger.events()]})

    return run


@pytest.fixture
def send(topics):
    """Put versions of things on partition 0 of a topic, as a relay would."""

    async def run(**versions):
        for thing, version in versions.items():
            event = toy.Happened(thing=thing, number=version)
            await topics.produce(
                toy.EVENTS,
                event.model_dump_json().encode(),
                key=thing.encode(),
                headers=toy.headers_of(event, version),
                partition=0,
            )

    return run


@pytest.fixture
def entered(query):
    async def read():
        return [tuple(row) for row in await query("SELECT key, version FROM ledger ORDER BY entry")]

    return read


@pytest.fixture
async def truncated(topics, consumer, ledger, send, entered):
    """The first of five records was read; the next two are gone."""

    async def has_read():
        return await entered() == [("lamp", 1)]

    await send(lamp=1)
    async with until_left(consumer(ledger.events()).run):
        await eventually(has_read)
    for version in (2, 3, 4):
        await send(lamp=version)
    await send(chair=1)
    await topics.delete_records(toy.EVENTS, 0, before=3)


@pytest.mark.usefixtures("truncated")
async def test_a_stopped_partition_goes_on_where_the_log_begins(
    say, operator, consumer, ledger, entered, query
):
    async def stopped(reading: Consumer):
        return reading.stopped().keys() == {place(toy.EVENTS)}

    reading = consumer(ledger.events())
    async with until_left(reading.run):
        await eventually(lambda: stopped(reading))
    [row] = await say("list")
    assert operator.status == 3
    told = {"applied": 1, "begin": 3, "end": 5, "resumes_at": 3, "lost": 2, "again": 0}
    names = {"consumer": toy.READER, "topic": toy.EVENTS, "partition": 0}
    assert row == {**names, **told}
    assert await say("resume", *PARTITION, "--dry-run") == [{**row, "dry_run": True}]
    assert (await say("list"), await query(AUDIT)) == ([row], [])
    assert await say("resume", *PARTITION, "--as", "jane") == [{**row, "dry_run": False}]
    assert (operator.status, await say("list"), operator.status) == (0, [], 0)
    [(actor, operation, what)] = await query(AUDIT)
    assert (actor, operation) == ("operator:jane", "events-partition-resume")
    assert (what["applied"], what["resumes_at"], what["lost"]) == ("1", "3", "2")

    async def goes_on():
        waiting = await query("SELECT aggregateid, reason FROM parked_keys")
        return await entered() == [("lamp", 1), ("chair", 1)] and waiting == [("lamp", "gap")]

    # Of what is lost, the key whose version is missing says so.
    async with until_left(consumer(ledger.events()).run):
        await eventually(goes_on)


async def test_a_log_that_was_recreated_is_read_from_its_beginning(say, send, query):
    await send(lamp=1, chair=1)
    await query(
        "INSERT INTO consumer_offsets VALUES (:consumer, :topic, 0, 7)",
        consumer=toy.READER,
        topic=toy.EVENTS,
    )
    [row] = await say("list")
    assert (row["applied"], row["resumes_at"], row["lost"], row["again"]) == (7, 0, None, 2)
    await say("resume", *PARTITION)
    assert await query("SELECT next_offset FROM consumer_offsets") == [(0,)]


async def test_what_has_not_stopped_is_not_moved(say, operator, send, query):
    await send(lamp=1, chair=1)

    async def refused(*words):
        assert await say("resume", *words) == []
        assert operator.status == 1
        return operator.refusal

    assert "has read nothing of toy.thing.events.v1[0]" in await refused(*PARTITION)
    await query(
        "INSERT INTO consumer_offsets VALUES (:consumer, :topic, 0, 1)",
        consumer=toy.READER,
        topic=toy.EVENTS,
    )
    assert "has what toy.reader reads next, at 1" in await refused(*PARTITION)
    assert "the cluster has no toy.thing.events.v1[9]" in await refused(*PARTITION[:2], "9")
    assert "it reads toy.thing.events.v1" in await refused(toy.READER, toy.STATES, "0")
    assert await query("SELECT next_offset FROM consumer_offsets") == [(1,)]
