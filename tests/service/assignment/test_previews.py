"""Previews: what a draft would move is announced in parts, with its tree, and nothing of it happens."""

from uuid import uuid4

import pytest

from services.assignment.alignments.previews import commands
from tests.service.assignment.conftest import CITY, NORTH, TREE, Assignment, county_rule

PREVIEWED = "assignment.plan.previewed.v1"


async def test_a_preview_announces_what_the_moves_list(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOVES_PER_PART", 2)
    accounts = [{"external_id": f"a{number}", "county": "01001"} for number in range(5)]
    live_id = await assignment.live(*accounts, {"external_id": "b", "county": "02001"})
    draft_id = await assignment.clone(live_id, rules=[county_rule(NORTH, "01001")])
    before = await assignment.open_alignments()

    preview = await assignment.post(f"/v1/plans/{draft_id}/previews")
    assert (preview["plan_version"], preview["accounts"], preview["moved"]) == (2, 6, 6)
    events = await assignment.events(PREVIEWED)
    assert [(event["part"], event["parts"], len(event["moves"])) for event in events] == [
        (1, 3, 2),
        (2, 3, 2),
        (3, 3, 2),
    ]
    assert [len(event["territories"]) for event in events] == [len(TREE), 0, 0]
    told = {move["account_id"]: move["to_territory_id"] for event in events for move in event["moves"]}
    moves = (await assignment.get(f"/v1/plans/{draft_id}/moves"))["items"]
    assert told == {move["account_id"]: move["to_territory_id"] for move in moves}
    assert sorted(str(one) for one in told.values()) == [*[str(NORTH)] * 5, "None"]
    assert await assignment.open_alignments() == before


async def test_a_plan_that_moves_nobody_says_so(assignment: Assignment) -> None:
    live_id = await assignment.live({"external_id": "a", "county": "01001"})
    preview = await assignment.post(f"/v1/plans/{live_id}/previews")
    (event,) = await assignment.events(PREVIEWED)
    assert (preview["moved"], event["parts"], event["moves"]) == (0, 1, [])
    assert str(CITY) in {node["territory_id"] for node in event["territories"]}


async def test_previews_are_for_planners_and_plans_that_exist(assignment: Assignment) -> None:
    live_id = await assignment.live({"external_id": "a", "county": "01001"})
    scoped = assignment.caller("manager", territories=[NORTH])
    refused = await assignment.http.post(f"/v1/plans/{live_id}/previews", headers=scoped)
    assert refused.status_code == 403
    unknown = await assignment.http.post(f"/v1/plans/{uuid4()}/previews")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert await assignment.events(PREVIEWED) == []
