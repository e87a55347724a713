"""A rep more and a rep fewer in the draft, and what every proposal says of one more and one fewer, over HTTP."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.assignment.design.own_process import Engines
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import (
    EVEN,
    LEAVES,
    PATIENCE,
    ROOT,
    RULES,
    TREE,
    Designs,
    organisation,
)

pytestmark = pytest.mark.timeout(PATIENCE + 60)

FIRST, SECOND, THIRD, FOURTH = map(str, LEAVES.values())
NEW = str(UUID(int=0x21F))
AROUND: dict[str, Any] = {"mode": "what_if", "measures": [{"measure": "accounts", "tolerance": 0.1}]}


@pytest.fixture
async def designs(assignment: Assignment, engines: Engines) -> Designs:
    """A draft to design: its four territories hold 40, 84, 100 and 176 of 400 accounts or thereabouts."""
    return Designs(assignment, engines, await organisation(assignment))


async def with_leaf(designs: Designs) -> Designs:
    """Return a draft with a leaf that has no account today."""
    leaf = {"territory_id": NEW, "name": "New", "kind": "geographic", "parent_id": str(ROOT)}
    return replace(designs, plan_id=await designs.assignment.draft([*TREE, leaf], RULES))


async def without_leaf(designs: Designs, territory_id: str) -> Designs:
    """Return a draft in which a leaf is gone, and the rule that leads to it."""
    tree = [node for node in TREE if node["territory_id"] != territory_id]
    rules = [rule for rule in RULES if rule["territory_id"] != territory_id]
    return replace(designs, plan_id=await designs.assignment.draft(tree, rules))


async def test_a_leaf_more_gets_accounts_where_the_request_says(designs: Designs):
    designs = await with_leaf(designs)
    home = {"territory_id": NEW, "latitude": 40.3, "longitude": -89.6}
    proposal = await designs.design(**AROUND, homes=[home])
    assert proposal["scenario"]["mode"] == "what_if"
    told = {one["territory_id"]: one for one in proposal["territories"]}
    assert told[NEW]["accounts"] == told[NEW]["gained"] >= 72
    assert told[NEW]["parts"] == 1
    assert (told[NEW]["latitude"], told[NEW]["longitude"]) == pytest.approx((40.3, -89.6), abs=0.4)
    places = await designs.places(proposal["run_id"])
    kept = [one for one in places.values() if not one["moved"]]
    assert {one["reason"] for one in kept} == {"stays"}
    assert proposal["moved_accounts"] == 400 - len(kept)
    assert sum(one["to_territory_id"] == NEW for one in places.values()) == told[NEW]["accounts"]


async def test_a_leaf_less_is_shared_out_among_the_others(designs: Designs):
    designs = await without_leaf(designs, FIRST)
    proposal = await designs.design(**AROUND)
    places = await designs.places(proposal["run_id"])
    orphans = {account for account, one in places.items() if one["from_territory_id"] == FIRST}
    assert orphans
    assert all(places[account]["moved"] for account in orphans)
    assert {one["to_territory_id"] for one in places.values()} == {SECOND, THIRD, FOURTH}
    assert sum(one["accounts"] for one in proposal["territories"]) == 400
    assert all(one["parts"] == 1 for one in proposal["territories"])
    assert {one["reason"] for one in places.values() if not one["moved"]} <= {"stays"}


async def test_nothing_new_and_nothing_gone_fails_with_what_to_do(designs: Designs):
    run = await designs.ask(**AROUND)
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("failed", "nothing-to-design")
    assert ended["detail"].startswith("mode: every leaf has accounts today")
    assert "realign" in ended["detail"]


async def test_a_budget_is_refused_and_homes_need_no_pull(designs: Designs):
    answer = await designs.assignment.http.post(
        designs.runs, json={**AROUND, "disruption": {"most_moved": 0.5}}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert "/disruption" in answer.text
    home = {"territory_id": FIRST, "latitude": 40, "longitude": -89}
    answer = await designs.assignment.http.post(designs.runs, json={**EVEN, "homes": [home]})
    assert answer.status_code == 422
    assert (await designs.ask(**AROUND, homes=[home]))["state"] == "queued"


async def test_every_proposal_tells_what_one_more_and_one_fewer_would_do(designs: Designs):
    proposal = await designs.design(measures=[{"measure": "accounts", "tolerance": 0.1}])
    more, fewer = proposal["sensitivity"]["one_more"], proposal["sensitivity"]["one_fewer"]
    assert more["territory_id"] is None
    assert (more["capacity"], fewer["capacity"]) == (1, 1)
    assert fewer["territory_id"] in fewer["touched_territory_ids"]
    assert more["load_per_rep_before"] == fewer["load_per_rep_before"] == [100]
    assert more["load_per_rep_after"] == [80]
    assert fewer["load_per_rep_after"] == [pytest.approx(400 / 3)]
    for change in (more, fewer):
        assert change["mean_km_before"] == pytest.approx(proposal["mean_km"])
        assert change["deviation_before"] == pytest.approx([proposal["measures"][0]["deviation"]])
        assert change["within_tolerance"] == (change["deviation_after"][0] <= 0.1 + 1e-6)
        assert 40 < change["latitude"] < 42
        assert -90 < change["longitude"] < -88
        assert set(change["touched_territory_ids"]) <= {FIRST, SECOND, THIRD, FOURTH}
    assert more["mean_km_after"] < more["mean_km_before"] < fewer["mean_km_after"]
    assert 72 <= more["moved_accounts"] < 400
    gone = next(one for one in proposal["territories"] if one["territory_id"] == fewer["territory_id"])
    assert fewer["moved_accounts"] >= gone["accounts"]


@pytest.mark.parametrize("count", [2, 3, 4])
async def test_no_more_accounts_than_territories_make_a_proposal_all_the_same(
    assignment: Assignment, engines: Engines, count: int
):
    designs = Designs(assignment, engines, await organisation(assignment, count=count))
    proposal = await designs.design(mode="greenfield")
    assert sum(one["accounts"] for one in proposal["territories"]) == count
    held = {one["territory_id"] for one in proposal["territories"] if one["accounts"]}
    fewer = (proposal["sensitivity"] or {}).get("one_fewer")
    assert fewer is None or fewer["territory_id"] in held


async def test_a_proposal_from_before_is_shown_without(designs: Designs):
    proposal = await designs.design()
    await designs.assignment.execute("UPDATE design_proposals SET sensitivity = NULL")
    shown = await designs.assignment.get(f"/v1/design-runs/{proposal['run_id']}/proposal")
    assert shown["sensitivity"] is None
    assert shown["territories"] == proposal["territories"]
