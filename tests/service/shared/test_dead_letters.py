"""What an operator does about parked keys."""

import json

import pytest
from pydantic import SecretStr

from shared.messaging.batches import Batches
from shared.messaging.dead_letters import ReplayFailed, discard, list_parked, replay, show_parked
from shared.messaging.dlq_command import dlq
from shared.runtime.settings import ServiceSettings
from tests.service.shared import toy
from tests.service.shared.batches import applied, place, record

PLACE = place(toy.EVENTS)


@pytest.fixture
def ledger():
    return toy.Ledger()


@pytest.fixture
async def batches(engine, clock, ledger):
    made = Batches(toy.READER, ledger.events(), engine=engine, clock=clock, source="/toy")
    await made.begin(PLACE, at=0)
    return made


@pytest.fixture
async def parked(batches, ledger):
    """Versions 1 to 3 of the lamp, the first refused."""
    ledger.refuse = {"lamp"}
    await batches.apply(PLACE, [record(n, toy.Happened(thing="lamp", number=n), n + 1) for n in range(3)])
    return batches


async def test_replay_applies_in_order_and_lets_the_key_go(parked, engine, ledger, query):
    assert [(each.key, each.reason, each.records) for each in await list_parked(engine)] == [
        ("lamp", "failed", 3)
    ]
    ledger.refuse = set()
    assert await replay(parked, "lamp") == 3
    assert await applied(query, "lamp") == [1, 2, 3]
    assert await list_parked(engine) == []
    assert await query("SELECT 1 FROM parked_keys") == []
    await parked.apply(PLACE, [record(3, toy.Happened(thing="lamp", number=4), 4)])
    assert await applied(query, "lamp") == [1, 2, 3, 4]


async def test_a_replay_that_fails_changes_nothing(parked, engine, query):
    with pytest.raises(ReplayFailed, match="cannot cope"):
        await replay(parked, "lamp")
    assert await applied(query, "lamp") == []
    assert [each.records for each in await list_parked(engine)] == [3]


async def test_discard_gives_up_the_refused_record_and_goes_on(parked, ledger, engine, query):
    ledger.refuse = set()
    assert await discard(parked, "lamp") == 1
    assert await applied(query, "lamp") == [2, 3]
    assert await list_parked(engine) == []


async def test_discard_accepts_the_loss_of_versions_that_never_came(batches, engine, query):
    await batches.apply(PLACE, [record(0, toy.Happened(thing="lamp", number=5), 5)])
    assert await discard(batches, "lamp") == 0
    assert await applied(query, "lamp") == [5]
    assert await list_parked(engine) == []


async def test_an_unreadable_event_is_kept_for_a_release_that_reads_it(batches, engine):
    await batches.apply(PLACE, [record(0, toy.Happened(thing="lamp", number=1), 1, value=b"{}")])
    [shown] = await show_parked(engine, consumer=toy.READER, topic=toy.EVENTS, key="lamp")
    assert shown.record.value == b"{}"
    assert "Field required" in (shown.error or "")


@pytest.mark.usefixtures("parked")
async def test_the_command_lists_shows_and_replays(database, capsys):
    settings = ServiceSettings(environment="development", database_url=SecretStr(database.app_url))
    consumers = {toy.READER: [toy.Ledger().events()]}

    async def say(*words):
        assert await dlq(words, settings=settings, service=toy.SERVICE, consumers=consumers) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [line["key"] for line in await say("list")] == ["lamp"]
    assert [line["version"] for line in await say("show", toy.READER, toy.EVENTS, "lamp")] == [1, 2, 3]
    assert await say("replay", toy.READER, toy.EVENTS, "lamp") == [{"key": "lamp", "records": 3}]
    assert await say("list") == []


async def test_the_command_refuses_what_this_release_does_not_read(database, capsys):
    settings = ServiceSettings(environment="development", database_url=SecretStr(database.app_url))
    words = ("replay", "no.such.consumer", toy.EVENTS, "lamp")
    assert await dlq(words, settings=settings, service=toy.SERVICE, consumers={}) == 1
    assert "no consumer of this release" in capsys.readouterr().err
