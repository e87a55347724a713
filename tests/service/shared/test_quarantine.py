"""Rows that Kafka refuses for good, and the order of the rows behind them."""

import pytest

from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import AUDIT, Operator
from tests.service.shared.test_relay import versions_on_topic


@pytest.fixture
def operator(database, topics, capsys):
    return Operator(database, topics, capsys)


@pytest.fixture
def say(operator):
    async def run(*words):
        return await operator.say("outbox", *words, consumers={})

    return run


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """The toy's contracts, as if they were listed."""
    contracts = {c.TYPE: c for c in (toy.Happened, toy.Renamed, toy.ThingState, toy.Fact)}
    monkeypatch.setattr("shared.messaging.operations.quarantine.CONTRACTS", contracts)


@pytest.fixture
def seqs(query):
    async def read(key):
        return [
            seq for (seq,) in await query("SELECT seq FROM outbox WHERE aggregateid = :k ORDER BY seq", k=key)
        ]

    return read


def happened(thing, *numbers):
    return [toy.Happened(thing=thing, number=number) for number in numbers]


async def only_held_rows_are_left(query, number):
    return await query("SELECT count(*) FROM outbox") == [(number,)]


async def test_later_rows_of_the_key_wait_and_all_else_goes(
    publish, relaying, topics, query, say, seqs, operator
):
    await publish(
        *happened("lamp", 1, 2, 3), *happened("chair", 1, 2), toy.ThingState(thing="lamp", number=1)
    )
    _, second, third = (await seqs("lamp"))[:3]
    [done] = await say("quarantine", str(second), "--reason", "too large", "--as", "jane")
    assert (operator.status, done["key"], done["version"], done["holds_key"]) == (0, "lamp", 2, True)
    async with relaying():
        await eventually(lambda: only_held_rows_are_left(query, 1))
        assert await versions_on_topic(topics) == {"lamp": [1], "chair": [1, 2]}
        assert await versions_on_topic(topics, toy.STATES) == {"lamp": [1]}
        states = {row["seq"]: row["state"] for row in await say("list")}
        assert states == {second: "quarantined", third: "held"}
        await publish(*happened("lamp", 4), *happened("chair", 3))
        await eventually(lambda: only_held_rows_are_left(query, 2))
        [back] = await say("release", str(second), "--as", "jane")
        assert (back["version"], back["topic"]) == (2, toy.EVENTS)
        await eventually(lambda: only_held_rows_are_left(query, 0))
    assert await versions_on_topic(topics) == {"lamp": [1, 2, 3, 4], "chair": [1, 2, 3]}
    audit = await query(AUDIT)
    assert [(actor, operation) for actor, operation, _ in audit] == [
        ("operator:jane", "events-outbox-quarantine"),
        ("operator:jane", "events-outbox-release"),
    ]
    assert audit[0][2] == {"seq": str(second), "reason": "too large", "allow_gap": "False"}


async def test_rows_before_the_quarantined_one_do_not_wait(publish, relaying, topics, query, say, seqs):
    """They were held up by the topic, not by the row, and are what subscribers need next."""
    await publish(*happened("lamp", 1, 2))
    first, second = await seqs("lamp")
    await say("quarantine", str(second), "--reason", "too large")
    async with relaying():
        await eventually(lambda: only_held_rows_are_left(query, 0))
    assert first < second
    assert await versions_on_topic(topics) == {"lamp": [1]}


async def test_a_gap_is_noticed_by_subscribers_and_healed_by_a_late_release(
    publish, relaying, topics, query, say, seqs, consumer
):
    """Nothing overtakes in silence: the key is parked where versions are counted, until the missing one comes."""
    ledger = toy.Ledger()
    await publish(*happened("lamp", 1, 2, 3))
    _, second, _ = await seqs("lamp")
    await say("quarantine", str(second), "--reason", "too large", "--allow-gap")

    async def versions():
        return [v for (v,) in await query("SELECT version FROM ledger ORDER BY entry")]

    async def parked():
        return await query("SELECT aggregateid, reason FROM parked_keys") == [("lamp", "gap")]

    async def applied_all():
        return await versions() == [1, 2, 3]

    async with relaying(), until_left(consumer(ledger.events()).run):
        await eventually(parked)
        assert await versions() == [1]
        await say("release", str(second))
        await eventually(applied_all)
    assert await versions_on_topic(topics) == {"lamp": [1, 3, 2]}
    assert await query("SELECT 1 FROM parked_keys") == []


async def test_a_gap_may_be_accepted_later(publish, relaying, topics, query, say, seqs, operator):
    await publish(*happened("lamp", 1, 2, 3))
    first, _, _ = await seqs("lamp")
    await say("quarantine", str(first), "--reason", "too large")
    async with relaying():
        [done] = await say("release", str(first), "--allow-gap")
        assert (operator.status, done["version"]) == (0, 1)
        await eventually(lambda: only_held_rows_are_left(query, 0))
    assert await versions_on_topic(topics) == {"lamp": [2, 3]}
    assert [row["state"] for row in await say("list")] == ["gap accepted"]


async def test_states_and_facts_hold_up_nothing(publish, relaying, topics, query, say, seqs):
    """The next state holds all that the last one did, and facts know no order."""
    await publish(toy.ThingState(thing="lamp", number=1), toy.ThingState(thing="lamp", number=2))
    first, _ = await seqs("lamp")
    [done] = await say("quarantine", str(first), "--reason", "too large")
    assert done["holds_key"] is False
    async with relaying():
        await eventually(lambda: only_held_rows_are_left(query, 0))
    assert await versions_on_topic(topics, toy.STATES) == {"lamp": [2]}


async def test_of_two_quarantined_rows_the_first_holds_the_second(
    publish, relaying, topics, query, say, seqs
):
    await publish(*happened("lamp", 1, 2, 3))
    first, second, _ = await seqs("lamp")
    for seq in (first, second):
        await say("quarantine", str(seq), "--reason", "too large")
    await say("release", str(second))
    async with relaying():
        await publish(*happened("chair", 1))
        await eventually(lambda: only_held_rows_are_left(query, 2))
        await say("release", str(first))
        await eventually(lambda: only_held_rows_are_left(query, 0))
    assert (await versions_on_topic(topics))["lamp"] == [1, 2, 3]


async def test_a_dry_run_moves_nothing(publish, query, say, seqs):
    await publish(*happened("lamp", 1))
    [seq] = await seqs("lamp")
    [done] = await say("quarantine", str(seq), "--reason", "too large", "--dry-run")
    assert (done["version"], done["dry_run"]) == (1, True)
    assert await seqs("lamp") == [seq]
    assert await query("SELECT 1 FROM outbox_dead") == await query(AUDIT) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("quarantine", "77", "--reason", "too large"), "the outbox has no row 77"),
        (("release", "77"), "no row 77 is quarantined"),
        (("release", "77", "--allow-gap"), "no row 77 is quarantined"),
    ],
)
async def test_rows_that_are_not_there_are_refused(say, operator, query, words, told):
    assert await say(*words) == []
    assert operator.status == 1
    assert told in operator.refusal
    assert await query(AUDIT) == []


def test_a_quarantine_without_a_reason_is_no_command(capsys):
    from shared.messaging.operations.arguments import parser_of  # noqa: PLC0415

    with pytest.raises(SystemExit, match="2"):
        parser_of("events").parse_args(["outbox", "quarantine", "7"])
    assert "--reason" in capsys.readouterr().err
