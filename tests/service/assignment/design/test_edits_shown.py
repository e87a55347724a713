"""What is shown and taken over of an edited proposal: comparison, acceptance, events, maps."""

import pytest

from tests.service.assignment.design_editing import Editor
from tests.service.assignment.designs import LEAVES, PATIENCE, Designs

pytestmark = pytest.mark.timeout(PATIENCE + 60)

ACCEPTED = "assignment.proposal.accepted.v1"
FIRST, SECOND, THIRD, _ = map(str, LEAVES.values())
MEASURES = [{"measure": "accounts", "tolerance": 0.1}, {"measure": "employees", "tolerance": 0.2}]


async def _labels(designs: Designs, run_id: str) -> dict[str, str]:
    return {one: row["to_territory_id"] for one, row in (await designs.places(run_id)).items()}


async def test_what_is_accepted_and_compared_is_what_was_edited(designs: Designs):
    assignment = designs.assignment
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    labels = await _labels(designs, run_id)
    mine = [one for one in sorted(labels) if labels[one] == FIRST][:5]
    editor = Editor(assignment.http, run_id)
    await editor.move(dict.fromkeys(mine, SECOND))
    edited = await editor.move({mine[0]: THIRD})
    (compared,) = (await assignment.get(f"/v1/plans/{designs.plan_id}/design-comparison"))["runs"]
    assert compared["mean_km"] == edited["after"]["mean_km"]
    assert (compared["moved_accounts"], compared["edited_accounts"]) == (
        edited["after"]["moved_accounts"],
        5,
    )
    path = f"/v1/design-runs/{run_id}/acceptances"
    stale = await assignment.http.post(path, json={"edit_version": 2}, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version-mismatch")
    body = {"edit_version": 3, "territory_ids": [SECOND]}
    part = await assignment.http.post(path, json=body, headers={"if-match": '"1"'})
    assert part.status_code == 201, part.text
    assert (part.json()["edited"], part.json()["edit_version"]) == (4, 3)
    whole = await assignment.http.post(path, json={}, headers={"if-match": '"2"'})
    assert (whole.json()["accounts"], whole.json()["edited"]) == (400, 5)
    assert [(one["edited_accounts"], one["edit_version"]) for one in await assignment.events(ACCEPTED)] == [
        (4, 3),
        (5, 3),
    ]
    placed = await assignment.rows("SELECT account_id, territory_id FROM placements")
    assert {str(one): str(place) for one, place in placed} == labels | dict.fromkeys(mine, SECOND) | {
        mine[0]: THIRD
    }


async def test_maps_are_of_the_edited_proposal_and_have_another_tag(designs: Designs):
    http = designs.assignment.http
    run_id = (await designs.design(measures=MEASURES))["run_id"]
    labels = await _labels(designs, run_id)
    editor = Editor(http, run_id)
    path = f"/v1/design-runs/{run_id}/proposal/boundaries"
    first = await http.get(path)
    proposal = await http.get(f"/v1/design-runs/{run_id}/proposal")
    assert proposal.headers["etag"] == '"1"'
    await editor.move({one: SECOND for one in sorted(labels) if labels[one] == FIRST})
    second = await http.get(path, headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert second.headers["etag"] != first.headers["etag"]
    shapes = {one["id"]: one for one in second.json()["features"]}
    assert (shapes[FIRST]["geometry"], shapes[FIRST]["properties"]["accounts"]) == (None, 0)
    empty = next(
        one
        for one in (await designs.assignment.get(f"/v1/design-runs/{run_id}/proposal"))["territories"]
        if one["territory_id"] == FIRST
    )
    assert (empty["parts"], empty["mean_km"], empty["latitude"]) == (0, None, None)
    await editor.step("edit-undoings")
    third = await http.get(path)
    assert third.json() == first.json()
