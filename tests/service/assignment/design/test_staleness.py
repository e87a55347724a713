"""What a proposal tells of a draft and of alignments that went on without it, and what of it the draft cannot have any more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.assignment.placements.schemas import MAX_ERRORS
from tests.service.assignment.designs import LEAVES, PATIENCE, ROOT, RULES, TREE, Designs

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = map(str, LEAVES.values())
FRESH = {"draft_changed": False, "live_changed": False}


async def _stale(designs: Designs, run_id: str) -> list[dict[str, Any]]:
    """Return what the proposal and the comparison tell of a run."""
    proposal = await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal")
    compared = await designs.assignment.get(f"/v1/plans/{designs.plan_id}/design-comparison", run_id=run_id)
    return [proposal["stale"], *(one["stale"] for one in compared["runs"])]


async def _accept(designs: Designs, run_id: str, *, version: int) -> dict[str, Any]:
    answer = await designs.assignment.http.post(
        f"/v1/design-runs/{run_id}/acceptances", json={}, headers={"if-match": f'"{version}"'}
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["plan_version"]}"'
    return answer.json()


async def _version(designs: Designs) -> int:
    return int((await designs.assignment.get(f"/v1/plans/{designs.plan_id}"))["version"])


async def test_a_draft_or_a_live_plan_that_changed_since_is_told(designs: Designs):
    assignment = designs.assignment
    run_id = (await designs.design())["run_id"]
    assert await _stale(designs, run_id) == [FRESH, FRESH]
    await assignment.put(f"/v1/plans/{designs.plan_id}/rules", {"rules": RULES[:4]}, version=1)
    assert await _stale(designs, run_id) == [{"draft_changed": True, "live_changed": False}] * 2
    assignment.clock.advance(timedelta(hours=1))
    await assignment.activate(await assignment.draft(TREE, RULES[:3]))
    both = {"draft_changed": True, "live_changed": True}
    assert await _stale(designs, run_id) == [both, both]
    accepted = await _accept(designs, run_id, version=await _version(designs))
    assert accepted["stale"] == both
    later = (await designs.design())["run_id"]
    assert await _stale(designs, later) == [FRESH, FRESH]


async def test_an_acceptance_tells_how_stale_the_proposal_was_before_it(designs: Designs):
    run_id = (await designs.design())["run_id"]
    accepted = await _accept(designs, run_id, version=1)
    assert (accepted["stale"], accepted["rejected"], accepted["errors"]) == (FRESH, 0, [])
    assert await _stale(designs, run_id) == [{"draft_changed": True, "live_changed": False}] * 2


async def test_accounts_that_the_draft_cannot_have_where_they_are_proposed_are_listed(designs: Designs):
    """One territory is divided since, another is gone; what goes to the others is taken over."""
    assignment = designs.assignment
    run_id = (await designs.design())["run_id"]
    places = await designs.places(run_id)
    below = {"territory_id": str(UUID(int=0x220)), "name": "Below", "kind": "geographic", "parent_id": FIRST}
    tree = [one for one in TREE if one["territory_id"] != SECOND] + [below]
    await assignment.put(f"/v1/plans/{designs.plan_id}/rules", {"rules": []}, version=1)
    await assignment.put(f"/v1/plans/{designs.plan_id}/territories", {"territories": tree}, version=2)
    accepted = await _accept(designs, run_id, version=await _version(designs))
    codes = {FIRST: "inner-territory", SECOND: "unknown-territory"}
    wanted = {
        (account, one["to_territory_id"], codes[one["to_territory_id"]])
        for account, one in places.items()
        if one["to_territory_id"] in codes
    }
    assert 0 < len(wanted) < MAX_ERRORS
    assert {(one["account_id"], one["territory_id"], one["code"]) for one in accepted["errors"]} == wanted
    assert all(one["detail"] for one in accepted["errors"])
    assert (accepted["rejected"], accepted["accounts"]) == (len(wanted), 400 - len(wanted))
    placed = await assignment.rows("SELECT account_id, territory_id FROM placements")
    assert {(str(account), str(territory)) for account, territory in placed} == {
        (account, one["to_territory_id"])
        for account, one in places.items()
        if one["to_territory_id"] not in codes
    }


async def test_an_acceptance_of_nothing_changes_and_announces_nothing(designs: Designs):
    assignment = designs.assignment
    run_id = (await designs.design())["run_id"]
    await assignment.put(f"/v1/plans/{designs.plan_id}/rules", {"rules": []}, version=1)
    root = [one for one in TREE if one["territory_id"] == str(ROOT)]
    await assignment.put(f"/v1/plans/{designs.plan_id}/territories", {"territories": root}, version=2)
    version = await _version(designs)
    accepted = await _accept(designs, run_id, version=version)
    assert (accepted["accounts"], accepted["rejected"], accepted["plan_version"]) == (0, 400, version)
    assert await _version(designs) == version
    assert await assignment.events("assignment.proposal.accepted.v1") == []
