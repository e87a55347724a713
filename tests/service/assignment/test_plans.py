"""Drafts, their trees and rules: what changes them, and what is refused."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.service.assignment.conftest import (
    CITY,
    NORTH,
    ROOT,
    RULES,
    SOUTH,
    TREE,
    Assignment,
    county_rule,
    rule_id,
)

ANYTHING = {"field": "county", "op": "eq", "value": "01001"}


async def test_a_plan_is_made_with_its_version_as_etag(assignment: Assignment) -> None:
    chosen = str(uuid4())
    answer = await assignment.http.post("/v1/plans", json={"name": " 2027 ", "plan_id": chosen})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/v1/plans/{chosen}"
    assert answer.json()["name"] == "2027"
    assert (await assignment.get(f"/v1/plans/{chosen}"))["state"] == "draft"
    assert [event["plan_id"] for event in await assignment.events("assignment.plan.drafted.v1")] == [chosen]
    taken = await assignment.http.post("/v1/plans", json={"name": "again", "plan_id": chosen})
    assert (taken.status_code, taken.json()["code"]) == (409, "plan-exists")


async def test_plans_are_listed_in_pages_and_by_state(assignment: Assignment) -> None:
    made = [(await assignment.post("/v1/plans", {"name": f"P{n}"}))["plan_id"] for n in range(3)]
    first = await assignment.get("/v1/plans", limit=2)
    rest = await assignment.get("/v1/plans", limit=2, cursor=first["next_cursor"])
    assert [plan["plan_id"] for plan in first["items"] + rest["items"]] == sorted(made)
    assert rest["next_cursor"] is None
    assert (await assignment.get("/v1/plans", state="active"))["items"] == []


async def test_a_clone_has_tree_and_rules_under_the_same_ids(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    answer = await assignment.http.post(f"/v1/plans/{plan_id}/clones", json={"name": "Clone"})
    clone = answer.json()
    assert (clone["territories"], clone["rules"], clone["based_on_plan_id"]) == (4, 3, plan_id)
    for part in ("territories", "rules"):
        source = await assignment.get(f"/v1/plans/{plan_id}/{part}")
        assert await assignment.get(f"/v1/plans/{clone['plan_id']}/{part}") == source
    missing = await assignment.http.post(f"/v1/plans/{uuid4()}/clones", json={"name": "Clone"})
    assert missing.status_code == 404


@pytest.mark.parametrize("path", ["territories", "rules", f"territories/{CITY}", f"rules/{rule_id(CITY)}"])
async def test_a_change_needs_the_version_it_was_decided_on(assignment: Assignment, path: str) -> None:
    plan_id = await assignment.draft()
    bodies: dict[str, Any] = {
        "territories": {"territories": TREE},
        "rules": {"rules": RULES},
        f"territories/{CITY}": {"name": "Town", "kind": "geographic", "parent_id": str(NORTH)},
        f"rules/{rule_id(CITY)}": {
            key: value for key, value in county_rule(CITY, "01009").items() if key != "rule_id"
        },
    }
    url = f"/v1/plans/{plan_id}/{path}"
    bare = await assignment.http.put(url, json=bodies[path])
    assert (bare.status_code, bare.json()["code"]) == (428, "precondition-required")
    stale = await assignment.http.put(url, json=bodies[path], headers={"if-match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version-mismatch")
    right = await assignment.http.put(url, json=bodies[path], headers={"if-match": '"3"'})
    assert (right.status_code, right.headers["etag"]) == (200, '"4"')
    assert (await assignment.http.get(f"/v1/plans/{plan_id}")).headers["etag"] == '"4"'


@pytest.mark.parametrize("path", ["territories", "rules"])
async def test_what_was_live_never_changes(assignment: Assignment, path: str) -> None:
    plan_id = await assignment.live()
    body = {"territories": TREE} if path == "territories" else {"rules": RULES}
    answer = await assignment.http.put(f"/v1/plans/{plan_id}/{path}", json=body, headers={"if-match": '"4"'})
    assert (answer.status_code, answer.json()["code"]) == (409, "plan-not-draft")


async def test_single_territories_are_moved_added_and_removed(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    base = f"/v1/plans/{plan_id}/territories"
    await assignment.put(
        f"{base}/{CITY}", {"name": "City", "kind": "geographic", "parent_id": str(SOUTH)}, version=3
    )
    closure = await assignment.rows(
        "SELECT ancestor_id FROM plan_closure WHERE plan_id = :plan AND territory_id = :city ORDER BY depth",
        plan=plan_id,
        city=CITY,
    )
    assert [ancestor for (ancestor,) in closure] == [CITY, SOUTH, ROOT]
    fresh = uuid4()
    await assignment.put(f"{base}/{fresh}", {"name": "Named", "kind": "named_account"}, version=4)
    gone = await assignment.http.delete(f"{base}/{fresh}", headers={"if-match": '"5"'})
    assert (gone.status_code, gone.headers["etag"]) == (204, '"6"')
    assert (await assignment.http.get(f"{base}/{fresh}")).status_code == 404
    for territory, why in ((ROOT, "children"), (CITY, "rules")):
        kept = await assignment.http.delete(f"{base}/{territory}", headers={"if-match": '"6"'})
        assert (kept.status_code, kept.json()["code"]) == (409, "territory-in-use")
        assert why in kept.json()["detail"]


async def test_a_territory_under_itself_is_refused(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    answer = await assignment.http.put(
        f"/v1/plans/{plan_id}/territories/{NORTH}",
        json={"name": "North", "kind": "geographic", "parent_id": str(CITY)},
        headers={"if-match": '"3"'},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-tree")
    assert {error["detail"] for error in answer.json()["errors"]} == {"this territory would lie under itself"}


async def test_a_whole_tree_swaps_names_and_drops_what_has_no_rules(assignment: Assignment) -> None:
    plan_id = await assignment.draft(rules=RULES[:1])
    swapped = [
        TREE[0],
        {**TREE[1], "name": "South"},
        {**TREE[3], "name": "NA"},
    ]
    stored = await assignment.put(f"/v1/plans/{plan_id}/territories", {"territories": swapped}, version=3)
    assert [node["name"] for node in stored["territories"]] == ["Root", "South", "NA"]
    listed = await assignment.get(f"/v1/plans/{plan_id}/territories")
    assert {node["name"] for node in listed["items"]} == {"Root", "South", "NA"}
    empty = await assignment.http.put(
        f"/v1/plans/{plan_id}/territories", json={"territories": []}, headers={"if-match": '"4"'}
    )
    assert (empty.status_code, empty.json()["code"]) == (409, "territory-in-use")


async def test_rules_are_checked_all_together_and_stored_all_or_none(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    bad = [
        {**county_rule(CITY, "01001"), "condition": {"field": "county", "op": "eq", "value": 1001}},
        county_rule(UUID(int=5), "01003"),
        {**county_rule(SOUTH, "x"), "condition": {"all": [{"field": "size", "op": "eq", "value": 1}]}},
    ]
    answer = await assignment.http.put(
        f"/v1/plans/{plan_id}/rules", json={"rules": bad}, headers={"if-match": '"3"'}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-rules")
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/rules/0/condition/value",
        "/rules/1/territory_id",
        "/rules/2/condition/all/0/field",
    ]
    kept = await assignment.get(f"/v1/plans/{plan_id}/rules")
    assert {rule["rule_id"] for rule in kept["items"]} == {rule["rule_id"] for rule in RULES}


@pytest.mark.parametrize(
    ("extra", "pointer"),
    [('"op": "eq", "value": "\\ud800"', "/condition/all/0/value"), ('"\\ud800": 1', "/condition/all/0")],
)
async def test_half_a_surrogate_pair_in_a_condition_is_named(
    assignment: Assignment, extra: str, pointer: str
) -> None:
    plan_id = await assignment.draft()
    condition = f'{{"all": [{{"field": "industry", {extra}}}]}}'
    body = f'{{"name": "x", "territory_id": "{CITY}", "position": 1, "condition": {condition}}}'
    answer = await assignment.http.put(
        f"/v1/plans/{plan_id}/rules/{uuid4()}",
        content=body,
        headers={"if-match": '"3"', "content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-rules")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_single_rules_are_added_changed_and_removed(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    fresh = uuid4()
    body = {"name": "big", "territory_id": str(NORTH), "position": 1, "condition": ANYTHING}
    shown = await assignment.put(f"/v1/plans/{plan_id}/rules/{fresh}", body, version=3)
    assert shown == {"rule_id": str(fresh), **body}
    assert await assignment.get(f"/v1/plans/{plan_id}/rules/{fresh}") == shown
    only = await assignment.get(f"/v1/plans/{plan_id}/rules", territory_id=str(NORTH))
    assert {rule["rule_id"] for rule in only["items"]} == {str(fresh), rule_id(NORTH)}
    url = f"/v1/plans/{plan_id}/rules/{fresh}"
    gone = await assignment.http.delete(url, headers={"if-match": '"4"'})
    assert gone.status_code == 204
    again = await assignment.http.delete(url, headers={"if-match": '"5"'})
    assert again.status_code == 404


async def test_the_gate_refuses_a_plan_without_tree_or_rules(assignment: Assignment) -> None:
    plan_id = (await assignment.post("/v1/plans", {"name": "Empty"}))["plan_id"]
    path = f"/v1/plans/{plan_id}/activations"
    empty = await assignment.http.post(path, headers={"if-match": '"1"'})
    assert (empty.status_code, empty.json()["code"]) == (409, "plan-incomplete")
    await assignment.put(f"/v1/plans/{plan_id}/territories", {"territories": TREE}, version=1)
    bare = await assignment.http.post(path, headers={"if-match": '"2"'})
    assert bare.json()["detail"].startswith("rules:")


async def test_activation_refuses_what_it_cannot_mean(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    path = f"/v1/plans/{plan_id}/activations"
    for headers, body, status, code in (
        ({}, {}, 428, "precondition-required"),
        ({"if-match": '"2"'}, {}, 412, "version-mismatch"),
        ({"if-match": '"3"'}, {"effective_at": "2099-01-01T00:00:00Z"}, 422, "effective-at-not-now"),
        ({"if-match": '"3"'}, {"effective_at": "2026-01-01T00:00:00"}, 422, "invalid-request"),
        ({"if-match": '"3"'}, {"effective_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid-request"),
        ({"if-match": '"3"'}, {"replacing_plan_id": str(uuid4())}, 409, "live-plan-changed"),
    ):
        answer = await assignment.http.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    await assignment.activate(plan_id)
    clone_id = await assignment.clone(plan_id)
    late = await assignment.http.post(
        f"/v1/plans/{clone_id}/activations",
        json={"effective_at": "2026-01-01T00:00:00Z"},
        headers={"if-match": '"1"'},
    )
    assert (late.status_code, late.json()["code"]) == (422, "effective-at-not-now")
    missing = await assignment.http.post(f"/v1/plans/{uuid4()}/activations", headers={"if-match": '"1"'})
    assert missing.status_code == 404


async def test_rollback_needs_a_live_plan_with_one_before_it(assignment: Assignment) -> None:
    plan_id = await assignment.live()
    first = await assignment.http.post(f"/v1/plans/{plan_id}/rollbacks")
    assert (first.status_code, first.json()["code"]) == (409, "nothing-to-roll-back")
    clone_id = await assignment.clone(plan_id)
    draft = await assignment.http.post(f"/v1/plans/{clone_id}/rollbacks")
    assert (draft.status_code, draft.json()["code"]) == (409, "plan-not-live")
    missing = await assignment.http.post(f"/v1/plans/{uuid4()}/rollbacks")
    assert missing.status_code == 404
