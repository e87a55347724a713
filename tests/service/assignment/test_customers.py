"""What collab tells of customers: kept, looked at by rules, counted as fit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.assignment.customers.commands import CUSTOMER_TRAITS
from services.assignment.plans.commands import switch_live_plan
from services.assignment.plans.refusals import PlanBusy
from shared.contracts.customers import NeedChanged, PreferencesChanged
from shared.contracts.envelope import Envelope, EventContract
from shared.contracts.identity import account_id_of, rep_id_of
from shared.db.transact import Transactor
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.batches import Batches
from shared.messaging.received import Received
from shared.messaging.transient import is_transient
from shared.testing.frozen_clock import A_MONDAY
from tests.service.assignment.conftest import CITY, NORTH, RULES, SOUTH, Assignment, county_rule
from tests.service.assignment.placing import place

ACME = account_id_of("acme")
SPANISH = {
    "rule_id": str(UUID(int=0x5A)),
    "name": "Spanish",
    "territory_id": str(SOUTH),
    "position": 1,
    "condition": {"field": "language", "op": "eq", "value": "es"},
}
LEARNERS = {
    **SPANISH,
    "rule_id": str(UUID(int=0x5B)),
    "name": "learners",
    "condition": {"field": "need", "op": "in", "value": ["training", "onboarding"]},
}


async def tell(assignment: Assignment, *events: EventContract) -> None:
    """Have the consumer's handler take a batch of events of one kind."""
    transact = Transactor(engine=assignment.engine, clock=assignment.clock, source="/demo/assignment")
    received: Sequence[Received[Any]] = [
        Received(
            event,
            Envelope(id=str(uuid4()), source="/demo/collab", type=event.TYPE, aggregateversion=number),
            event.TOPIC,
            0,
            number,
            event.key,
        )
        for number, event in enumerate(events, start=1)
    ]
    await transact(CUSTOMER_TRAITS.handlers[type(events[0])], received)


def speaks(language: str | None, account: UUID = ACME) -> PreferencesChanged:
    return PreferencesChanged(account_id=account, language=language, channels=("phone",), changed_at=A_MONDAY)


def needs(kind: str, status: str = "open", *, need: int = 1, account: UUID = ACME) -> NeedChanged:
    return NeedChanged(
        account_id=account, need_id=UUID(int=need), kind=kind, status=status, changed_at=A_MONDAY
    )


async def where(assignment: Assignment) -> UUID | None:
    found = await assignment.get(f"/v1/accounts/{ACME}")
    territory = found["alignment"]["territory_id"]
    return None if territory is None else UUID(territory)


async def live_with(assignment: Assignment, *rules: dict[str, Any]) -> None:
    await assignment.import_accounts({"external_id": "acme", "county": "01001", "industry": "retail"})
    await assignment.activate(await assignment.draft(rules=[*RULES, *rules]))


async def test_a_language_that_a_live_rule_reads_moves_the_account_at_once(assignment: Assignment) -> None:
    await live_with(assignment, SPANISH)
    assert await where(assignment) == CITY
    assignment.clock.advance(timedelta(hours=1))
    await tell(assignment, speaks("es"))
    assert await where(assignment) == SOUTH
    await tell(assignment, speaks("es"))
    assignment.clock.advance(timedelta(hours=1))
    await tell(assignment, speaks("de"), speaks("en"))
    assert await where(assignment) == CITY
    _, there, back = await assignment.events("assignment.account.aligned.v1")
    assert (there["to_territory_id"], there["cause"], there["activation_id"]) == (str(SOUTH), "rule", None)
    assert there["rule_id"] == SPANISH["rule_id"]
    assert back["to_territory_id"] == str(CITY)


async def test_needs_move_an_account_while_one_of_the_kinds_is_to_be_met(assignment: Assignment) -> None:
    await live_with(assignment, LEARNERS)
    steps = [
        (needs("renewal"), CITY),
        (needs("training", need=2), SOUTH),
        (needs("onboarding", need=3), SOUTH),
        (needs("training", "met", need=2), SOUTH),
        (needs("onboarding", "dropped", need=3), CITY),
        (needs("training", "in_progress", need=4), SOUTH),
    ]
    for event, expected in steps:
        assignment.clock.advance(timedelta(minutes=1))
        await tell(assignment, event)
        assert await where(assignment) == expected, event
    assert await assignment.rows("SELECT need FROM customer_traits") == [("renewal,training",)]


async def test_what_no_live_rule_reads_moves_nothing_and_is_there_when_one_does(
    assignment: Assignment,
) -> None:
    await live_with(assignment)
    await tell(assignment, speaks("es"))
    await tell(assignment, needs("training"))
    assert await where(assignment) == CITY
    assert len(await assignment.events("assignment.account.aligned.v1")) == 1
    await assignment.activate(await assignment.draft(rules=[*RULES, SPANISH]))
    assert await where(assignment) == SOUTH


async def test_what_is_told_before_the_account_is_known_counts_when_it_is(assignment: Assignment) -> None:
    await assignment.activate(await assignment.draft(rules=[*RULES, SPANISH]))
    await tell(assignment, speaks("es"))
    await assignment.import_accounts({"external_id": "acme", "county": "01001"})
    assert await where(assignment) == SOUTH


@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        ({"field": "language", "op": "eq", "value": "Spanish"}, "/rules/0/condition/value"),
        ({"field": "need", "op": "eq", "value": "More Training"}, "/rules/0/condition/value"),
        ({"field": "need", "op": "starts_with", "value": "t"}, "/rules/0/condition/op"),
    ],
)
async def test_rules_on_customers_are_checked_as_they_are_written(
    assignment: Assignment, condition: dict[str, Any], pointer: str
) -> None:
    plan_id = await assignment.draft(rules=[])
    rule = {**county_rule(NORTH, "01001"), "condition": condition}
    answer = await assignment.http.put(
        f"/v1/plans/{plan_id}/rules", json={"rules": [rule]}, headers={"if-match": '"3"'}
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def _import_reps(assignment: Assignment, content: str, kind: str = "text/csv") -> dict[str, Any]:
    answer = await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_reps_say_what_they_speak_and_know(assignment: Assignment) -> None:
    file = (
        "external_id,name,languages,industries,need_kinds\n"
        "ann,Ann,en; es;es,retail;food,training\n"
        "bob,Bob,,,\n"
        "eve,Eve,Spanish,,\n"
    )
    report = await _import_reps(assignment, file)
    assert (report["registered"], report["rejected"]) == (2, 1)
    assert (report["errors"][0]["field"], report["errors"][0]["row"]) == ("languages", 4)
    assert (await _import_reps(assignment, file))["unchanged"] == 2
    ann = await assignment.get(f"/v1/reps/{rep_id_of('ann')}")
    assert (ann["languages"], ann["industries"], ann["need_kinds"]) == (
        ["en", "es"],
        ["retail", "food"],
        ["training"],
    )
    line = '{"external_id": "ann", "name": "Ann", "languages": ["fr"]}'
    assert (await _import_reps(assignment, line, "application/x-ndjson"))["changed"] == 1
    ann = await assignment.get(f"/v1/reps/{rep_id_of('ann')}")
    assert (ann["languages"], ann["industries"]) == (["fr"], [])


async def test_fit_tells_how_well_those_who_cover_an_account_suit_it(assignment: Assignment) -> None:
    await live_with(assignment)
    url = f"/v1/accounts/{ACME}/fit"
    empty = await assignment.get(url)
    assert (empty["score"], empty["reason"], empty["reps"]) == (None, "nobody-covers", [])
    await _import_reps(
        assignment,
        "external_id,name,languages,industries,need_kinds\nann,Ann,en;es,retail,training\nbob,Bob,en,food,\n",
    )
    for rep, territory in (("bob", CITY), ("ann", SOUTH)):
        coverage = {"rep_id": str(rep_id_of(rep)), "territory_id": str(territory)}
        await assignment.post("/v1/coverages", coverage)
    await tell(assignment, speaks("es"))
    await tell(assignment, needs("training"), needs("renewal", need=2))
    now = await assignment.get(url)
    assert now["wanted"] == {"language": "es", "industry": "retail", "needs": ["renewal", "training"]}
    assert (now["territory_id"], now["score"]) == (str(CITY), 0)
    assert [part["reason"] for part in now["reps"][0]["parts"]] == [None, None, "rep-says-nothing"]
    draft = await assignment.draft(rules=[*RULES, SPANISH])
    then = await assignment.get(url, plan_id=draft)
    assert (then["territory_id"], then["score"]) == (str(SOUTH), 88)
    (ann,) = then["reps"]
    assert {part["name"]: part["unmet"] for part in ann["parts"]} == {
        "language": [],
        "industry": [],
        "needs": ["renewal"],
    }
    seen = assignment.caller("viewer", territories=[CITY])
    assert (await assignment.http.get(url, headers=seen)).status_code == 200
    foreign = await assignment.http.get(url, params={"plan_id": draft}, headers=seen)
    assert foreign.status_code == 404
    other = assignment.caller("viewer", territories=[SOUTH])
    assert (await assignment.http.get(url, headers=other)).status_code == 404


async def test_preferences_wait_for_a_live_plan_that_is_held(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long activation is no fault of the record: it is tried again, and is no dead letter."""
    monkeypatch.setattr(switch_live_plan, "PATIENCE_SECONDS", 0.05)
    batches = Batches(
        "assignment.test", CUSTOMER_TRAITS, engine=assignment.engine, clock=assignment.clock, source="/test"
    )
    place = TopicPartition(CUSTOMER_TRAITS.topic, 0)
    await batches.begin(place, at=0)
    event = PreferencesChanged(
        account_id=account_id_of("acme"),
        language="es",
        channels=("phone",),
        changed_at=assignment.clock.now(),
    )
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", event.TYPE.encode()),
        ("ce_source", b"/test/collab"),
        ("ce_id", str(uuid4()).encode()),
        ("ce_time", b"2026-11-24T00:00:00Z"),
        ("ce_aggregateversion", b"1"),
        ("content-type", b"application/json"),
    ]
    record = IncomingRecord(
        CUSTOMER_TRAITS.topic, 0, 0, event.key.encode(), event.model_dump_json().encode(), headers
    )
    async with assignment.engine.begin() as holder:
        await holder.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('assignment.live_plan', 0))")
        )
        with pytest.raises(PlanBusy) as refused:
            await batches.apply(place, [record])
        assert is_transient(refused.value)
    outcome = await batches.apply(place, [record])
    assert (outcome.applied, outcome.dead, outcome.parked) == (1, 0, 0)


async def test_what_a_customer_asks_for_moves_nobody_who_is_placed(assignment: Assignment) -> None:
    await assignment.import_accounts({"external_id": "acme", "county": "01001", "industry": "retail"})
    plan_id = await assignment.draft(rules=[*RULES, SPANISH, LEARNERS])
    await place(assignment, plan_id, ("acme", NORTH))
    await assignment.activate(plan_id)
    told = len(await assignment.events("assignment.account.aligned.v1"))
    await tell(assignment, speaks("es"))
    await tell(assignment, needs("training"))
    assert await where(assignment) == NORTH
    assert len(await assignment.events("assignment.account.aligned.v1")) == told
