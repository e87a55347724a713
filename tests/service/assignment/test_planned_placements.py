"""Accounts placed in a plan: ahead of its rules and behind its pins, wherever the plan is matched."""

import asyncio
from datetime import timedelta

from services.assignment.alignments.releases.commands import ReleaseAccounts, release_accounts
from shared.contracts.identity import account_id_of, rep_id_of
from shared.db.transact import Transactor
from tests.service.assignment.conftest import CITY, NORTH, SOUTH, Assignment, rule_id
from tests.service.assignment.deliveries import register, tell_records
from tests.service.assignment.placing import (
    ACCOUNT,
    ACCOUNTS,
    ALIGNED,
    RUN,
    accept,
    have_placed,
    place,
    where,
)


async def test_a_draft_with_placements_is_seen_everywhere_as_it_would_be(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await accept(assignment, clone_id, ("city", SOUTH), ("nowhere", NORTH))

    moves = (await assignment.get(f"/v1/plans/{clone_id}/moves"))["items"]
    assert {(one["account_id"], one["to_territory_id"], one["cause"], one["rule_id"]) for one in moves} == {
        (ACCOUNT, str(SOUTH), "design", None),
        (str(account_id_of("nowhere")), str(NORTH), "design", None),
    }
    diff = await assignment.get(f"/v1/plans/{clone_id}/diff")
    assert (diff["summary"]["moved"], diff["summary"]["kept"], diff["summary"]["gaps"]) == (2, 1, 0)
    # Who is placed asks no rule: the city's wins nobody any more.
    assert rule_id(CITY) in diff["rules_without_accounts"]
    assert (await assignment.get(f"/v1/plans/{clone_id}/gaps"))["items"] == []
    balance = await assignment.get(f"/v1/plans/{clone_id}/balance")
    assert {row["name"]: row["accounts"] for row in balance["territories"]} == {
        "City": 0,
        "North": 1,
        "South": 2,
    }
    # A rule wants the city's account elsewhere; placed, it is in one place.
    assert (balance["gaps"], balance["overlapping_accounts"]) == (0, 0)
    fit = await assignment.get(f"/v1/accounts/{ACCOUNT}/fit", plan_id=clone_id)
    assert fit["territory_id"] == str(SOUTH)
    found = {one["check"]: one for one in (await assignment.get(f"/v1/plans/{clone_id}/gate"))["findings"]}
    assert "gaps" not in found
    assert found["disruption"]["value"] == "0.5000"
    preview = await assignment.post(f"/v1/plans/{clone_id}/previews")
    (event,) = await assignment.events("assignment.plan.previewed.v1")
    assert preview["moved"] == 2
    assert {move["account_id"]: move["to_territory_id"] for move in event["moves"]} == {
        one["account_id"]: one["to_territory_id"] for one in moves
    }
    # Nothing of it has happened.
    assert await where(assignment) == (str(CITY), "rule")
    assert (await assignment.get(f"/v1/accounts/{ACCOUNT}/fit"))["territory_id"] == str(CITY)


async def test_an_activation_announces_placements_and_a_rollback_takes_them_back(
    assignment: Assignment,
) -> None:
    plan_id = await have_placed(assignment, ("city", SOUTH))
    assert await where(assignment) == (str(SOUTH), "design")
    event = (await assignment.events(ALIGNED))[-1]
    assert (event["account_id"], event["cause"], event["rule_id"]) == (ACCOUNT, "design", None)
    assert (event["from_territory_id"], event["to_territory_id"]) == (str(CITY), str(SOUTH))
    history = (await assignment.get(f"/v1/accounts/{ACCOUNT}/alignments"))["items"]
    assert [(one["territory_id"], one["cause"]) for one in history] == [
        (str(CITY), "rule"),
        (str(SOUTH), "design"),
    ]

    assignment.clock.advance(timedelta(days=1))
    back = await assignment.post(f"/v1/plans/{plan_id}/rollbacks")
    assert (back["kind"], back["moved"]) == ("rollback", 1)
    assert await where(assignment) == (str(CITY), "rule")
    # Forward again: the plan that was live still has what was accepted.
    assignment.clock.advance(timedelta(days=1))
    assert (await assignment.activate(plan_id))["moved"] == 1
    assert await where(assignment) == (str(SOUTH), "design")


async def test_an_explanation_names_the_run_who_accepted_it_and_what_rules_would_have_said(
    assignment: Assignment,
) -> None:
    accepted_at = assignment.clock.now()
    plan_id = await have_placed(assignment, ("city", SOUTH), ("nowhere", NORTH))
    path = f"/v1/accounts/{ACCOUNT}/explanation"
    found = await assignment.get(path)
    ground = found["ground"]
    assert (found["replays"], ground["match"]["cause"], ground["rule"]) == (True, "design", None)
    assert ground["placement"] == {
        "account_id": ACCOUNT,
        "territory_id": str(SOUTH),
        "design_run_id": str(RUN),
        "placed_at": accepted_at.isoformat().replace("+00:00", "Z"),
        "placed_by": "the-planner",
    }
    assert (ground["by_rules"]["territory_id"], ground["by_rules"]["rule_id"]) == (str(CITY), rule_id(CITY))
    lost = {one["rule_id"]: one["lost"] for one in ground["candidates"]}
    assert (lost[rule_id(CITY)], lost[rule_id(SOUTH)]) == ("design", "condition")
    gap = await assignment.get(f"/v1/accounts/{account_id_of('nowhere')}/explanation")
    assert (gap["replays"], gap["ground"]["by_rules"]["reason"]) == (True, "no_match")
    # As it was before: by a rule of a plan without placements.
    before = await assignment.get(path, at=accepted_at.isoformat())
    assert (before["replays"], before["ground"]["placement"]) == (True, None)
    assert before["ground"]["by_rules"] == before["ground"]["match"]
    # Of a draft: what it would make of the account.
    draft_id = await assignment.clone(plan_id)
    await place(assignment, draft_id, ("city", NORTH))
    planned = (await assignment.get(path, plan_id=draft_id))["ground"]
    assert (planned["match"]["territory_id"], planned["placement"]["design_run_id"]) == (str(NORTH), None)
    # A viewer does not see who planned, a manager of the South not where the rules would send.
    seen = await assignment.http.get(path, headers=assignment.caller("viewer", territories=[SOUTH]))
    shown = seen.json()["ground"]
    assert (shown["placement"]["placed_by"], shown["by_rules"]) == (None, None)
    assert shown["placement"]["design_run_id"] == str(RUN)


async def test_a_pin_comes_before_a_placement_and_lets_the_account_go_to_it(assignment: Assignment) -> None:
    ends = assignment.clock.now() + timedelta(days=30)
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    pin = {"territory_id": str(NORTH), "reason": "a promise", "owner_subject": "chief"}
    path = f"/v1/plans/{clone_id}/pins/{ACCOUNT}"
    await assignment.put(path, {**pin, "expires_at": ends.isoformat()}, version=1)
    report = await place(assignment, clone_id, ("city", SOUTH), ("south", SOUTH))
    assert (report["added"], report["pinned"]) == (2, 1)
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    assert await where(assignment) == (str(NORTH), "pin")
    ground = (await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation"))["ground"]
    assert (ground["match"]["cause"], ground["placement"]["territory_id"]) == ("pin", str(SOUTH))

    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assignment.clock.advance(timedelta(days=30))
    both = await asyncio.gather(*(transact(release_accounts, ReleaseAccounts()) for _ in range(2)))
    assert max(both) == 1
    assert await where(assignment) == (str(SOUTH), "design")
    event = (await assignment.events(ALIGNED))[-1]
    assert (event["from_territory_id"], event["cause"]) == (str(NORTH), "design")
    assert await transact(release_accounts, ReleaseAccounts()) == 0


async def test_a_pin_in_the_place_of_the_placement_ends_without_a_move(assignment: Assignment) -> None:
    """Neither names a rule: only the cause tells them apart, and an expired pin must not be released for ever."""
    ends = assignment.clock.now() + timedelta(days=30)
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    pin = {"territory_id": str(SOUTH), "reason": "a promise", "owner_subject": "chief"}
    path = f"/v1/plans/{clone_id}/pins/{ACCOUNT}"
    await assignment.put(path, {**pin, "expires_at": ends.isoformat()}, version=1)
    assert (await place(assignment, clone_id, ("city", SOUTH)))["pinned"] == 0
    await assignment.activate(clone_id)
    told = len(await assignment.events(ALIGNED))

    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assignment.clock.advance(timedelta(days=30))
    assert await transact(release_accounts, ReleaseAccounts()) == 1
    assert await where(assignment) == (str(SOUTH), "design")
    assert (await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation"))["replays"] is True
    assert await transact(release_accounts, ReleaseAccounts()) == 0
    assert len(await assignment.events(ALIGNED)) == told


async def test_imports_and_webhooks_leave_who_is_placed_and_new_accounts_go_by_rules(
    assignment: Assignment,
) -> None:
    await have_placed(assignment, ("city", SOUTH))
    told = len(await assignment.events(ALIGNED))
    report = await assignment.import_accounts(
        {**ACCOUNTS[0], "county": "01003", "employees": 9}, {"external_id": "new", "county": "01003"}
    )
    assert (report["changed"], report["registered"], report["aligned"]) == (1, 1, 1)
    assert await where(assignment) == (str(SOUTH), "design")
    assert await where(assignment, "new") == (str(NORTH), "rule")
    await register(assignment)
    record = {"Id": "city", "Name": "Acme", "County_FIPS__c": "01001"}
    other = {"Id": "newer", "Name": "Beta", "County_FIPS__c": "01001"}
    assert await tell_records(assignment, record, other) == [("applied", None), ("applied", None)]
    assert await where(assignment) == (str(SOUTH), "design")
    assert await where(assignment, "newer") == (str(CITY), "rule")
    events = (await assignment.events(ALIGNED))[told:]
    assert {event["account_id"] for event in events} == {
        str(account_id_of("new")),
        str(account_id_of("newer")),
    }
    # As it was matched last, with the county that the webhook told.
    explained = await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation")
    assert (explained["replays"], explained["ground"]["attributes"]["county"]) == (True, "01001")


async def test_a_plan_may_place_everybody_and_have_no_rules(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, rules=[])
    etag = (await assignment.http.get(f"/v1/plans/{clone_id}")).headers["etag"]
    refused = await assignment.http.post(
        f"/v1/plans/{clone_id}/activations", json={}, headers={"if-match": etag}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "plan-incomplete")
    await place(assignment, clone_id, *((str(one["external_id"]), NORTH) for one in ACCOUNTS))
    report = await assignment.get(f"/v1/plans/{clone_id}/gate")
    assert "incomplete" not in {one["check"] for one in report["findings"]}
    assert (await assignment.activate(clone_id))["gaps"] == 0
    # Who comes later meets no rule: a gap that is told.
    await assignment.import_accounts({"external_id": "later", "county": "01001"})
    assert await where(assignment, "later") == (None, "rule")


async def test_who_covers_the_place_counts_for_the_fit_of_who_is_placed(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    content = "external_id,name\nada,Ada\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    await assignment.post("/v1/coverages", {"territory_id": str(SOUTH), "rep_id": str(rep_id_of("ada"))})
    clone_id = await assignment.clone(plan_id)
    await accept(assignment, clone_id, ("city", SOUTH))
    fit = await assignment.get(f"/v1/accounts/{ACCOUNT}/fit", plan_id=clone_id)
    assert [one["rep_id"] for one in fit["reps"]] == [str(rep_id_of("ada"))]
