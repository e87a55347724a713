"""Why an account is where it is: now, in the past, and in a draft; and who may be told."""

from datetime import timedelta

from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import (
    CITY,
    NORTH,
    ROOT,
    RULES,
    SOUTH,
    Assignment,
    county_rule,
    rule_id,
)

ACCOUNTS = [{"external_id": "city", "county": "01001"}, {"external_id": "north", "county": "01003"}]
PATH = f"/v1/accounts/{account_id_of('city')}/explanation"


async def test_an_explanation_tells_plan_path_rule_comparisons_and_losers(assignment: Assignment) -> None:
    later = {**county_rule(SOUTH, "01001", position=50), "name": "what is left"}
    await assignment.import_accounts(*ACCOUNTS)
    plan_id = await assignment.draft(rules=[*RULES[:2], later])
    activation = await assignment.activate(plan_id)

    found = await assignment.get(PATH)
    ground = found["ground"]
    assert found["replays"] is True
    assert found["alignment"]["territory_id"] == str(CITY)
    assert found["activation"]["activation_id"] == activation["activation_id"]
    assert ground["plan_id"] == plan_id
    assert ground["match"] == {
        "territory_id": str(CITY),
        "rule_id": rule_id(CITY),
        "cause": "rule",
        "reason": None,
    }
    assert [step["name"] for step in ground["path"]] == ["Root", "North", "City"]
    (checked,) = ground["rule"]["comparisons"]
    assert (checked["field"], checked["op"], checked["value"]) == ("county", "eq", "01001")
    assert (checked["actual"], checked["held"]) == ("01001", True)
    lost = {one["rule_id"]: one["lost"] for one in ground["candidates"]}
    assert lost == {rule_id(NORTH): "condition", rule_id(SOUTH): "later_position"}


async def test_a_past_alignment_is_explained_by_the_account_as_it_was(assignment: Assignment) -> None:
    """The account moves house and the plan is replaced; what held before replays to the same result."""
    plan_id = await assignment.live(*ACCOUNTS)
    instants = [assignment.clock.now()]
    assignment.clock.advance(timedelta(days=1))
    await assignment.import_accounts({"external_id": "city", "county": "02001", "employees": 7})
    instants.append(assignment.clock.now())
    assignment.clock.advance(timedelta(days=1))
    # Nothing about the alignment changes, and still the history tells how large the account was.
    await assignment.import_accounts({"external_id": "city", "county": "02001", "employees": 8})
    instants.append(assignment.clock.now())
    assignment.clock.advance(timedelta(days=1))
    clone_id = await assignment.clone(plan_id, [RULES[0], county_rule(NORTH, "02001")])
    await assignment.activate(clone_id)
    instants.append(assignment.clock.now())

    found = [await assignment.get(PATH, at=at.isoformat()) for at in instants]
    assert [one["replays"] for one in found] == [True] * 4
    assert [one["ground"]["match"]["territory_id"] for one in found] == [
        str(place) for place in (CITY, SOUTH, SOUTH, NORTH)
    ]
    assert [one["ground"]["attributes"]["employees"] for one in found] == [None, 7, 8, 8]
    assert [one["ground"]["plan_id"] for one in found] == [plan_id] * 3 + [clone_id]


async def test_every_period_of_a_busy_history_replays(assignment: Assignment) -> None:
    """At one instant of a clock that stands still: periods begin a tick apart, in both histories."""
    plan_id = await assignment.live(*ACCOUNTS)
    for county in ("01003", "99999", "02001"):
        await assignment.import_accounts({"external_id": "city", "county": county})
    await assignment.activate(await assignment.clone(plan_id, RULES[:2]))
    await assignment.import_accounts({"external_id": "city", "county": "01001"})
    history = await assignment.get(f"/v1/accounts/{account_id_of('city')}/alignments")
    assert len(history["items"]) == 6
    for period in history["items"]:
        found = await assignment.get(PATH, at=period["valid_from"])
        assert found["replays"] is True, period
        assert found["ground"]["match"]["territory_id"] == period["territory_id"]
        assert found["ground"]["match"]["reason"] == period["reason"]


async def test_an_activation_that_dates_back_is_explained_by_what_was_known_when_it_was_recorded(
    assignment: Assignment,
) -> None:
    await assignment.import_accounts(*ACCOUNTS)
    await assignment.activate(await assignment.draft(), effective_at="2026-01-01T00:00:00+00:00")
    found = await assignment.get(PATH, at="2026-03-01T00:00:00+00:00")
    assert (found["replays"], found["ground"]["attributes"]["county"]) == (True, "01001")
    draft_id = await assignment.draft(rules=[county_rule(SOUTH, "01001")])
    drafted = await assignment.get(PATH, at="2026-03-01T00:00:00+00:00", plan_id=draft_id)
    assert drafted["ground"]["match"]["territory_id"] == str(SOUTH)
    before = await assignment.get(PATH, at="2025-12-31T00:00:00+00:00")
    assert (before["alignment"], before["ground"], before["replays"]) == (None, None, None)


async def test_a_draft_is_explained_before_it_is_live(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    draft_id = await assignment.clone(plan_id, [county_rule(SOUTH, "01001")])
    found = await assignment.get(PATH, plan_id=draft_id)
    assert (found["alignment"], found["replays"]) == (None, None)
    assert found["ground"]["match"]["territory_id"] == str(SOUTH)
    assert found["ground"]["plan_state"] == "draft"


async def test_rules_outside_the_scope_are_counted_and_not_told(assignment: Assignment) -> None:
    await assignment.import_accounts(*ACCOUNTS)
    rules = [*RULES[:2], county_rule(SOUTH, "01001", position=50)]
    plan_id = await assignment.draft(rules=rules)
    await assignment.activate(plan_id)
    mine = assignment.caller("viewer", territories=[NORTH])
    answer = await assignment.http.get(PATH, headers=mine)
    ground = answer.json()["ground"]
    assert [one["rule_id"] for one in ground["candidates"]] == [rule_id(NORTH)]
    assert ground["candidates_outside_scope"] == 1
    assert [step["territory_id"] for step in ground["path"]] == [str(NORTH), str(CITY)]

    elsewhere = assignment.caller("viewer", territories=[SOUTH])
    assert (await assignment.http.get(PATH, headers=elsewhere)).status_code == 404
    draft_id = await assignment.clone(plan_id, [county_rule(SOUTH, "01001")])
    sent_away = await assignment.http.get(PATH, params={"plan_id": draft_id}, headers=mine)
    assert (sent_away.json()["ground"]["rule"], sent_away.json()["ground"]["path"]) == (None, [])


async def test_what_is_not_there_is_not_found_and_an_instant_is_written_out(assignment: Assignment) -> None:
    await assignment.live(*ACCOUNTS)
    unknown = await assignment.http.get(f"/v1/accounts/{ROOT}/explanation")
    assert unknown.status_code == 404
    no_plan = await assignment.http.get(PATH, params={"plan_id": str(ROOT)})
    assert no_plan.status_code == 404
    number = await assignment.http.get(PATH, params={"at": "0"})
    assert number.status_code == 422


async def test_what_a_later_plan_left_as_it_was_is_explained_by_that_plan(assignment: Assignment) -> None:
    """The clone's rule is wider and sends the account to the same territory: the alignment stays, the reason is new."""
    first = await assignment.live(*ACCOUNTS)
    asked = assignment.clock.now()
    wider = {**RULES[0], "condition": {"field": "state", "op": "eq", "value": "AL"}}
    await assignment.import_accounts({**ACCOUNTS[0], "state": "AL"})
    second = await assignment.clone(first, rules=[wider, *RULES[1:]])
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(second)
    assignment.clock.advance(timedelta(days=1))
    await assignment.import_accounts({**ACCOUNTS[0], "county": "01005", "state": "AL"})

    now = await assignment.get(PATH)
    assert (now["alignment"]["plan_id"], now["ground"]["plan_id"]) == (first, second)
    (checked,) = now["ground"]["rule"]["comparisons"]
    assert (now["replays"], checked["field"]) == (True, "state")
    before = await assignment.get(PATH, at=asked.isoformat())
    (checked,) = before["ground"]["rule"]["comparisons"]
    assert (before["replays"], before["ground"]["plan_id"], checked["field"]) == (True, first, "county")
