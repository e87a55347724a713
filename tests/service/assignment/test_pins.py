"""Accounts held by hand: ahead of rules, until they expire, within the scope, and never in a plan that was live."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.assignment.alignments.releases.commands import ReleaseAccounts, release_accounts
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from tests.service.assignment.conftest import CITY, NORTH, SOUTH, TREE, Assignment

ACCOUNTS = [{"external_id": "city", "county": "01001"}, {"external_id": "south", "county": "02001"}]
ACCOUNT = str(account_id_of("city"))


def _pin(territory: UUID = SOUTH, **more: Any) -> dict[str, Any]:
    return {"territory_id": str(territory), "reason": "knows the owner", "owner_subject": "chief", **more}


async def _pinned(assignment: Assignment, **more: Any) -> str:
    """Have a live plan that pins the city's account to the south; return the plan's id."""
    await assignment.import_accounts(*ACCOUNTS)
    plan_id = await assignment.draft()
    await assignment.put(f"/v1/plans/{plan_id}/pins/{ACCOUNT}", _pin(**more), version=3)
    await assignment.activate(plan_id)
    return plan_id


async def _where(assignment: Assignment) -> tuple[str, str]:
    alignment = (await assignment.get(f"/v1/accounts/{ACCOUNT}"))["alignment"]
    return alignment["territory_id"], alignment["cause"]


async def test_a_pin_comes_before_rules_in_diff_activation_event_and_explanation(
    assignment: Assignment,
) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id)
    path = f"/v1/plans/{clone_id}/pins/{ACCOUNT}"
    stored = await assignment.put(path, _pin(), version=1)
    assert (stored["owner_subject"], stored["expired"]) == ("chief", False)
    moves = await assignment.get(f"/v1/plans/{clone_id}/moves")
    assert [move["to_territory_id"] for move in moves["items"]] == [str(SOUTH)]
    assert (await assignment.get(f"/v1/plans/{clone_id}/diff"))["summary"]["moved"] == 1

    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    assert await _where(assignment) == (str(SOUTH), "pin")
    event = (await assignment.events("assignment.account.aligned.v1"))[-1]
    assert (event["account_id"], event["cause"], event["rule_id"]) == (ACCOUNT, "pin", None)
    found = await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation")
    assert found["replays"] is True
    assert found["ground"]["pin"]["reason"] == "knows the owner"
    assert (found["ground"]["match"]["cause"], found["ground"]["rule"]) == ("pin", None)
    assert "pin" in {one["lost"] for one in found["ground"]["candidates"]}


async def test_an_expired_pin_no_longer_holds_at_the_next_matching(assignment: Assignment) -> None:
    ends = assignment.clock.now() + timedelta(days=30)
    plan_id = await _pinned(assignment, expires_at=ends.isoformat())
    assert await _where(assignment) == (str(SOUTH), "pin")
    assignment.clock.advance(timedelta(days=30))
    assert (await assignment.get(f"/v1/plans/{plan_id}/pins/{ACCOUNT}"))["expired"] is True
    held = await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation")
    assert (held["replays"], held["ground"]["match"]["cause"]) == (True, "pin")
    await assignment.import_accounts({**ACCOUNTS[0], "employees": 5})
    assert await _where(assignment) == (str(CITY), "rule")
    before = await assignment.get(
        f"/v1/accounts/{ACCOUNT}/explanation", at=(ends - timedelta(days=1)).isoformat()
    )
    assert (before["replays"], before["ground"]["match"]["territory_id"]) == (True, str(SOUTH))


async def test_an_account_whose_pin_ran_out_goes_by_the_rules_and_is_announced(
    assignment: Assignment,
) -> None:
    """Nobody touches the account: time alone lets it go, once."""
    ends = assignment.clock.now() + timedelta(days=30)
    plan_id = await _pinned(assignment, expires_at=ends.isoformat())
    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assignment.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert await transact(release_accounts, ReleaseAccounts()) == 0
    assert await _where(assignment) == (str(SOUTH), "pin")
    before = len(await assignment.events("assignment.account.aligned.v1"))
    assignment.clock.advance(timedelta(seconds=1))
    both = await asyncio.gather(*(transact(release_accounts, ReleaseAccounts()) for _ in range(2)))
    assert sorted(both) in ([0, 1], [1, 1])
    assert await _where(assignment) == (str(CITY), "rule")
    (event,) = (await assignment.events("assignment.account.aligned.v1"))[before:]
    assert (event["account_id"], event["from_territory_id"]) == (ACCOUNT, str(SOUTH))
    assert (event["cause"], event["plan_id"], event["activation_id"]) == ("rule", plan_id, None)
    explained = await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation")
    assert (explained["replays"], explained["ground"]["pin"]) == (True, None)
    assert await transact(release_accounts, ReleaseAccounts()) == 0


async def test_pins_are_cloned_and_a_plan_that_was_live_keeps_its_own(assignment: Assignment) -> None:
    plan_id = await _pinned(assignment)
    etag = (await assignment.http.get(f"/v1/plans/{plan_id}")).headers["etag"]
    for method, body in (("PUT", _pin(NORTH)), ("DELETE", None)):
        refused = await assignment.http.request(
            method, f"/v1/plans/{plan_id}/pins/{ACCOUNT}", json=body, headers={"if-match": etag}
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "plan-not-draft")
    clone_id = await assignment.clone(plan_id)
    listed = await assignment.get(f"/v1/plans/{clone_id}/pins")
    assert [(pin["account_id"], pin["territory_id"]) for pin in listed["items"]] == [(ACCOUNT, str(SOUTH))]
    gone = await assignment.http.delete(f"/v1/plans/{clone_id}/pins/{ACCOUNT}", headers={"if-match": '"1"'})
    assert gone.status_code == 204
    await assignment.activate(clone_id)
    assert await _where(assignment) == (str(CITY), "rule")


async def test_what_a_pin_needs_is_told_with_the_field(assignment: Assignment) -> None:
    await assignment.import_accounts(*ACCOUNTS)
    plan_id = await assignment.draft()
    path, version = f"/v1/plans/{plan_id}/pins/{ACCOUNT}", {"if-match": '"3"'}
    wrong = [
        (_pin(owner_rep_id=str(CITY)), 422, "owner_rep_id"),
        ({**_pin(), "owner_subject": None}, 422, "owner_rep_id"),
        ({**_pin(), "owner_subject": None, "owner_rep_id": str(CITY)}, 422, "owner_rep_id"),
        (_pin(expires_at="2020-01-01T00:00:00Z"), 422, "expires_at"),
        (_pin(UUID(int=77)), 404, "territory_id"),
    ]
    for body, status, field in wrong:
        answer = await assignment.http.put(path, json=body, headers=version)
        assert answer.status_code == status, answer.text
        assert field in answer.text
    unknown = await assignment.http.put(f"/v1/plans/{plan_id}/pins/{CITY}", json=_pin(), headers=version)
    assert unknown.status_code == 404
    assert (await assignment.http.put(path, json=_pin())).status_code == 428
    assert (await assignment.get(f"/v1/plans/{plan_id}/pins"))["items"] == []
    # A territory that holds somebody by hand does not go.
    await assignment.put(path, _pin(), version=3)
    await assignment.put(f"/v1/plans/{plan_id}/rules", {"rules": []}, version=4)
    smaller = {"territories": [node for node in TREE if node["name"] != "South"]}
    refused = await assignment.http.put(
        f"/v1/plans/{plan_id}/territories", json=smaller, headers={"if-match": '"5"'}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "territory-in-use")


async def test_a_manager_pins_accounts_of_their_own_in_territories_of_their_own(
    assignment: Assignment,
) -> None:
    plan_id = await _pinned(assignment)
    clone_id = await assignment.clone(plan_id)
    south = account_id_of("south")
    version = {"if-match": '"1"'}
    of_north = assignment.caller("manager", territories=[NORTH])
    for account, territory in ((south, NORTH), (ACCOUNT, NORTH)):
        answer = await assignment.http.put(
            f"/v1/plans/{clone_id}/pins/{account}", json=_pin(territory), headers={**of_north, **version}
        )
        assert answer.status_code == 404
    of_south = assignment.caller("manager", territories=[SOUTH])
    away = await assignment.http.put(
        f"/v1/plans/{clone_id}/pins/{south}", json=_pin(NORTH), headers={**of_south, **version}
    )
    assert away.status_code == 404
    assert (await assignment.http.get(f"/v1/plans/{clone_id}/pins", headers=of_north)).json()["items"] == []
    mine = await assignment.http.put(
        f"/v1/plans/{clone_id}/pins/{south}", json=_pin(SOUTH), headers={**of_south, **version}
    )
    assert mine.status_code == 200
    seen = await assignment.http.get(
        f"/v1/plans/{clone_id}/pins/{south}", headers=assignment.caller("viewer", territories=[SOUTH])
    )
    assert (seen.json()["owner_subject"], seen.json()["pinned_by"]) == (None, None)


async def test_a_pin_that_a_clone_took_along_ends_when_it_runs_out(assignment: Assignment) -> None:
    """The clone leaves the account where it was, under the plan that put it there; its pin ends it all the same."""
    ends = assignment.clock.now() + timedelta(days=30)
    clone_id = await assignment.clone(await _pinned(assignment, expires_at=ends.isoformat()))
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    assert await _where(assignment) == (str(SOUTH), "pin")

    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assert await transact(release_accounts, ReleaseAccounts()) == 0
    assignment.clock.advance(timedelta(days=30))
    assert await transact(release_accounts, ReleaseAccounts()) == 1
    assert await _where(assignment) == (str(CITY), "rule")
    assert await transact(release_accounts, ReleaseAccounts()) == 0


async def test_a_draft_tells_nobody_which_account_of_others_it_would_bring_them(
    assignment: Assignment,
) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    path = f"/v1/plans/{clone_id}/pins"
    await assignment.put(f"{path}/{ACCOUNT}", _pin(SOUTH), version=1)
    of_south = assignment.caller("manager", territories=[SOUTH])
    assert (await assignment.http.get(path, headers=of_south)).json()["items"] == []
    assert (await assignment.http.get(f"{path}/{ACCOUNT}", headers=of_south)).status_code == 404
    unpinned = await assignment.http.delete(f"{path}/{ACCOUNT}", headers={**of_south, "if-match": '"2"'})
    assert unpinned.status_code == 404
    assert len((await assignment.get(path))["items"]) == 1
