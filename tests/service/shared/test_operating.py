"""What operators are told of how far everything is, in words for people and lines for scripts."""

import json
import os
import subprocess
import sys
from datetime import datetime

import pytest

from shared.messaging.bailiwick import installed_services
from shared.messaging.dead_letter_record import WIRE_TYPE
from shared.messaging.operations.answers import Answers
from shared.messaging.operations.arguments import parser_of
from shared.messaging.operations.command import answer, open_desk
from shared.messaging.projection import Entangled, Projection
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.testing.waiting import eventually
from tests.architecture.source import ROOT, SERVICES
from tests.service.shared import toy
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import Operator


@pytest.fixture
def operator(database, topics, capsys):
    return Operator(database, topics, capsys)


@pytest.fixture
def ledger():
    return toy.Ledger()


@pytest.fixture
def say(operator, ledger):
    async def run(*words):
        return await operator.say(*words, consumers={toy.READER: [ledger.events(), ledger.states()]})

    return run


async def test_lag_tells_of_consumers_letters_outbox_and_relays(
    publish, relaying, consumer, ledger, say, operator, query
):
    ledger.refuse = {"lamp"}
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="chair", number=1))

    async def parked_and_told():
        waiting = await query("SELECT count(*) FROM outbox")
        return waiting == [(0,)] and await query("SELECT aggregateid FROM parked_keys") == [("lamp",)]

    async with relaying():
        async with until_left(consumer(ledger.events()).run):
            await eventually(parked_and_told)
        await publish(toy.Happened(thing="lamp", number=2), toy.ThingState(thing="lamp", number=1))
        await eventually(lambda: _is_empty(query))
        told = await say("lag")
    assert operator.status == 0
    about = {name: [row for row in told if row["about"] == name] for name in ("consumer", "partition")}
    events = [row for row in about["partition"] if row["topic"] == toy.EVENTS]
    assert [row["partition"] for row in events] == [0, 1]
    assert (sum(row["end"] for row in events), sum(row["lag"] for row in events)) == (3, 1)
    assert sorted(row["age_seconds"] is None for row in events) == [False, True]
    [state] = [row for row in about["partition"] if row["topic"] == toy.STATES and row["lag"]]
    assert (state["applied"], state["end"]) == (None, 1)
    assert [(row["topic"], row["parked_keys"], row["dead_letters"]) for row in about["consumer"]] == [
        (toy.EVENTS, 1, 1),
        (toy.STATES, 0, 0),
    ]
    leases = [row for row in told if row["about"] == "leases"]
    assert sorted(bucket for row in leases for bucket in row["buckets"]) == list(range(16))
    assert all(row["session"] for row in leases)


async def _is_empty(query):
    return await query("SELECT count(*) FROM outbox") == [(0,)]


async def test_lag_tells_when_something_has_waited_too_long(publish, say, operator, query):
    await publish(toy.Happened(thing="lamp", number=1))
    await query("UPDATE outbox SET created_at = created_at - interval '1 hour'")
    await say("lag", "--max-age", "7200")
    assert operator.status == 0
    told = await say("lag", "--max-age", "60")
    assert operator.status == 3
    [outbox] = [row for row in told if row["about"] == "outbox"]
    assert (outbox["rows"], outbox["oldest_seconds"] > 3_599) == (1, True)
    # No relay runs: nobody owns any bucket.
    [nobody] = [row for row in told if row["about"] == "leases"]
    assert (nobody["session"], len(nobody["buckets"])) == (None, 16)


async def test_lag_tells_when_a_key_has_waited_too_long(
    publish, relaying, consumer, ledger, say, operator, query
):
    ledger.refuse = {"lamp"}
    await publish(toy.Happened(thing="lamp", number=1))
    async with relaying(), until_left(consumer(ledger.events()).run):
        await eventually(lambda: _is_parked_and_told(query))
    await query("UPDATE parked_records SET parked_at = now() - interval '1 hour'")
    told = await say("lag", "--max-age", "60")
    assert operator.status == 3
    [events] = [row for row in told if row["about"] == "consumer" and row["topic"] == toy.EVENTS]
    assert events["parked_seconds"] > 3_599
    await say("lag", "--max-age", "7200")
    assert operator.status == 0


async def _is_parked_and_told(query):
    return await _is_empty(query) and await query("SELECT aggregateid FROM parked_keys") == [("lamp",)]


async def test_lag_tells_when_a_quarantined_row_has_held_its_key_too_long(publish, say, operator, query):
    await publish(toy.Happened(thing="lamp", number=1))
    await query(
        "INSERT INTO outbox_dead SELECT seq, id, aggregatetype, aggregateid, type, payload, source, dataschema, "
        "headers, aggregateversion, now() - interval '1 hour', 'large', true, now(), 'jane' FROM outbox"
    )
    await query("DELETE FROM outbox")
    told = await say("lag", "--max-age", "60")
    assert operator.status == 3
    [outbox] = [row for row in told if row["about"] == "outbox"]
    assert (outbox["oldest_seconds"], outbox["holding_seconds"] > 3_599) == (None, True)
    await query("UPDATE outbox_dead SET holds_key = false")
    await say("lag", "--max-age", "60")
    assert operator.status == 0


async def test_lag_of_topics_that_are_not_there_is_refused(say, operator):
    operator.settings = operator.settings.model_copy(update={"kafka_topic_prefix": "elsewhere."})
    assert await say("lag") == []
    assert operator.status == 1
    assert f"elsewhere.{toy.EVENTS}, elsewhere.{toy.STATES}" in operator.refusal
    assert "KAFKA_TOPIC_PREFIX (elsewhere.)" in operator.refusal


async def test_projections_are_listed_with_what_they_keep(operator, ledger):
    kept = Subscription(toy.EVENTS, {toy.Happened: ledger.enter}, keeps=Projection(("ledger",)))
    more = Subscription(toy.STATES, {toy.ThingState: ledger.enter}, keeps=Entangled("It rings bells."))
    told = await operator.say("projection", "list", consumers={toy.READER: [kept, more]})
    assert [(row["topic"], row["rebuildable"], row["tables"], row["why_not"]) for row in told] == [
        (toy.EVENTS, True, ["ledger"], None),
        (toy.STATES, False, [], "It rings bells."),
    ]


async def test_people_are_told_in_tables(publish, operator, ledger, capsys):
    """A key may hold anything: none of it is markup or an instruction to the terminal."""
    await publish(toy.Happened(thing="[bold]lamp[/nothing]", number=1))
    options = parser_of("events").parse_args(["outbox", "list"])
    async with open_desk(options, settings=operator.settings, service=operator.service, consumers={}) as desk:
        assert await answer(desk, options) == 0
    printed = capsys.readouterr().out
    assert "[bold]lamp[/nothing]" in printed
    assert "waiting" in printed
    assert "{" not in printed


async def test_a_dead_letter_holds_up_nobody(say, operator, query, monkeypatch):
    """Letters are independent of each other: one that Kafka refuses is put aside, and that is all."""
    await query(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, aggregateversion) "
        f"VALUES ('{dead_letter_topic(toy.EVENTS, toy.READER)}', 'lamp', '{WIRE_TYPE}', '{{}}', '/toy', 1)"
    )
    [row] = await say("outbox", "list")
    [done] = await say("outbox", "quarantine", str(row["seq"]), "--reason", "too large")
    assert (operator.status, done["holds_key"]) == (0, False)


def test_answers_are_one_json_object_per_line(capsys):
    answers = Answers(sys.stdout, sys.stderr, as_json=True)
    with answers.steps(2) as steps:
        steps.say("working", done=1)
    answers.rows([{"at": datetime.fromisoformat("2026-11-23T09:00:00+00:00")}] * 2, title="", nothing="")
    printed = capsys.readouterr()
    assert [json.loads(line)["at"] for line in printed.out.splitlines()] == ["2026-11-23T09:00:00+00:00"] * 2
    assert printed.err == ""


def run_bailiwick(*words, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from shared.messaging.bailiwick import main; main()", *words],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if k != "SERVICE"}, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_entry_point_runs_the_service_that_is_meant():
    assert installed_services() == sorted(SERVICES)
    done = run_bailiwick("--service", "metrics", "dance")
    assert (done.returncode, done.stderr.startswith("usage: python -m services.metrics api|")) == (1, True)
    told = run_bailiwick("dance", SERVICE="collab")
    assert told.stderr.startswith("usage: python -m services.collab api|")
    nobody = run_bailiwick("dance")
    assert nobody.returncode == 2
    assert "say which one is meant: assignment, collab, metrics" in nobody.stderr
