"""Who sees and changes what: in the subtree, beside it, outside of it, without the role."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.identity import account_id_of, rep_id_of
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

ACCOUNTS = [
    {"external_id": "city", "county": "01001"},
    {"external_id": "north", "county": "01003"},
    {"external_id": "south", "county": "02001"},
    {"external_id": "nowhere", "county": "99999"},
]
PARTS = ("diff", "moves", "gaps")


@pytest.mark.parametrize(
    ("root", "seen"),
    [
        (ROOT, {"city", "north", "south"}),
        (NORTH, {"city", "north"}),
        (CITY, {"city"}),
        (UUID(int=9), set()),
    ],
)
async def test_accounts_are_seen_by_the_subtree(assignment: Assignment, root: UUID, seen: set[str]) -> None:
    await assignment.live(*ACCOUNTS)
    caller = assignment.caller("viewer", territories=[root])
    listed = await assignment.http.get("/v1/accounts", headers=caller)
    assert {account["external_id"] for account in listed.json()["items"]} == seen
    for account in ACCOUNTS:
        name = account["external_id"]
        for path in ("", "/alignments"):
            url = f"/v1/accounts/{account_id_of(name)}{path}"
            one = await assignment.http.get(url, headers=caller)
            assert one.status_code == (200 if name in seen else 404)


async def test_a_territory_filter_outside_the_scope_is_not_found(assignment: Assignment) -> None:
    await assignment.live(*ACCOUNTS)
    caller = assignment.caller("viewer", territories=[NORTH])
    for territory, include, expected in (
        (NORTH, "self", {"north"}),
        (NORTH, "subtree", {"north", "city"}),
        (CITY, "self", {"city"}),
        (SOUTH, "self", None),
        (ROOT, "subtree", None),
        (uuid4(), "self", None),
    ):
        answer = await assignment.http.get(
            "/v1/accounts", params={"territory_id": str(territory), "include": include}, headers=caller
        )
        if expected is None:
            assert answer.status_code == 404
        else:
            assert {account["external_id"] for account in answer.json()["items"]} == expected


async def test_a_moved_account_leaves_the_scope_with_the_activation(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    caller = assignment.caller("viewer", territories=[CITY])
    url = f"/v1/accounts/{account_id_of('city')}"
    assert (await assignment.http.get(url, headers=caller)).status_code == 200
    clone_id = await assignment.clone(plan_id, [county_rule(SOUTH, "01001")])
    await assignment.activate(clone_id, override_reason="one account is enough")
    assert (await assignment.http.get(url, headers=caller)).status_code == 404
    await assignment.post(f"/v1/plans/{clone_id}/rollbacks")
    assert (await assignment.http.get(url, headers=caller)).status_code == 200


async def test_drafts_are_seen_by_their_own_tree(assignment: Assignment) -> None:
    """A re-parented territory counts where the draft puts it, for those who read the draft."""
    live_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(live_id)
    await assignment.put(
        f"/v1/plans/{clone_id}/territories/{CITY}",
        {"name": "City", "kind": "geographic", "parent_id": str(SOUTH)},
        version=1,
    )
    caller = assignment.caller("viewer", territories=[NORTH])
    for plan_id, expected in ((live_id, {NORTH, CITY}), (clone_id, {NORTH})):
        for part, key in (("territories", "territory_id"), ("rules", "territory_id")):
            listed = await assignment.http.get(f"/v1/plans/{plan_id}/{part}", headers=caller)
            assert {UUID(one[key]) for one in listed.json()["items"]} == expected
        for path in (f"territories/{CITY}", f"rules/{rule_id(CITY)}"):
            one = await assignment.http.get(f"/v1/plans/{plan_id}/{path}", headers=caller)
            assert one.status_code == (200 if CITY in expected else 404)


async def test_a_manager_edits_within_the_subtree_only(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    caller = assignment.caller("manager", territories=[NORTH])

    async def put(path: str, body: dict[str, Any], version: int) -> int:
        answer = await assignment.http.put(
            f"/v1/plans/{plan_id}/{path}", json=body, headers={**caller, "if-match": f'"{version}"'}
        )
        return answer.status_code

    def territory(parent: UUID | None, name: str = "New") -> dict[str, Any]:
        return {"name": name, "kind": "geographic", "parent_id": parent and str(parent)}

    def rule(target: UUID) -> dict[str, Any]:
        return {key: value for key, value in county_rule(target, "05001").items() if key != "rule_id"}

    assert await put(f"territories/{uuid4()}", territory(SOUTH), 3) == 404
    assert await put(f"territories/{uuid4()}", territory(None), 3) == 404
    assert await put(f"territories/{SOUTH}", territory(NORTH, "South"), 3) == 404
    assert await put(f"territories/{CITY}", territory(SOUTH, "City"), 3) == 404
    assert await put(f"rules/{uuid4()}", rule(SOUTH), 3) == 404
    assert await put(f"rules/{rule_id(SOUTH)}", rule(NORTH), 3) == 404
    for path in (f"territories/{SOUTH}", f"rules/{rule_id(SOUTH)}"):
        gone = await assignment.http.delete(
            f"/v1/plans/{plan_id}/{path}", headers={**caller, "if-match": '"3"'}
        )
        assert gone.status_code == 404

    assert await put(f"territories/{uuid4()}", territory(CITY), 3) == 200
    assert await put(f"territories/{NORTH}", territory(ROOT, "Renamed"), 4) == 200
    assert await put(f"rules/{rule_id(CITY)}", rule(NORTH), 5) == 200


async def test_a_diff_tells_single_territories_what_concerns_them(assignment: Assignment) -> None:
    live_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(live_id, [county_rule(CITY, "01003"), county_rule(NORTH, "02001")])
    caller = assignment.caller("viewer", territories=[NORTH])
    diff = (await assignment.http.get(f"/v1/plans/{clone_id}/diff", headers=caller)).json()
    assert {row["territory_id"] for row in diff["territories"]} == {str(NORTH), str(CITY)}
    assert (diff["summary"]["accounts"], diff["summary"]["moved"]) == (2, 2)
    assert {row["territory_id"]: row["accounts_gained"] for row in diff["territories"]} == {
        str(NORTH): 0,
        str(CITY): 1,
    }
    assert diff["reasons"] == {"no_match": 1}
    assert (diff["summary"]["gaps"], diff["summary"]["ties"]) == (1, 0)
    caller = assignment.caller("viewer", territories=[SOUTH])
    moves = (await assignment.http.get(f"/v1/plans/{clone_id}/moves", headers=caller)).json()
    assert [move["account_id"] for move in moves["items"]] == [str(account_id_of("south"))]
    gaps = (await assignment.http.get(f"/v1/plans/{clone_id}/gaps", headers=caller)).json()
    assert gaps["items"] == []


async def test_a_draft_does_not_open_foreign_territories(assignment: Assignment) -> None:
    """South lies under North in the draft, but the accounts that are there today are not North's to see."""
    await assignment.live(*ACCOUNTS)
    tree = [node if node["name"] != "South" else {**node, "parent_id": str(NORTH)} for node in TREE]
    draft_id = await assignment.draft(tree, RULES[:2])
    caller = assignment.caller("manager", territories=[NORTH])
    for part in ("moves", "gaps"):
        listed = await assignment.http.get(f"/v1/plans/{draft_id}/{part}", headers=caller)
        assert listed.json()["items"] == []
    diff = (await assignment.http.get(f"/v1/plans/{draft_id}/diff", headers=caller)).json()
    assert diff["summary"]["accounts"] == 2
    (south,) = (row for row in diff["territories"] if row["territory_id"] == str(SOUTH))
    assert (south["accounts_lost"], south["accounts_kept"]) == (0, 0)


async def test_a_foreign_live_territory_cannot_be_put_into_a_draft(assignment: Assignment) -> None:
    await assignment.live(*ACCOUNTS)
    draft_id = await assignment.draft([TREE[0], TREE[1], TREE[3]], RULES[:2])
    body = {"name": "Mine", "kind": "geographic", "parent_id": str(NORTH)}
    caller = {**assignment.caller("manager", territories=[NORTH]), "if-match": '"3"'}
    url = f"/v1/plans/{draft_id}/territories/{SOUTH}"
    assert (await assignment.http.put(url, json=body, headers=caller)).status_code == 404
    wider = {**assignment.caller("manager", territories=[NORTH, SOUTH]), "if-match": '"3"'}
    assert (await assignment.http.put(url, json=body, headers=wider)).status_code == 200


async def test_a_rule_in_a_draft_tells_nothing_of_accounts_elsewhere(assignment: Assignment) -> None:
    """A manager may write any condition: neither list, count, sum nor idle rule may answer it for others."""
    live_id = await assignment.live(*ACCOUNTS)
    caller = assignment.caller("manager", territories=[NORTH])

    async def seen(condition: dict[str, Any]) -> tuple[Any, ...]:
        clone_id = await assignment.clone(live_id)
        url = f"/v1/plans/{clone_id}"
        rule = {"name": "Broad", "territory_id": str(CITY), "position": 0, "condition": condition}
        path = f"{url}/rules/{UUID(int=5)}"
        written = await assignment.http.put(path, json=rule, headers={**caller, "if-match": '"1"'})
        assert written.status_code == 200, written.text
        told = [(await assignment.http.get(f"{url}/{part}", headers=caller)).json() for part in PARTS]
        assert told[0].pop("plan_id") == clone_id
        return tuple(told)

    nobody = await seen({"field": "external_id", "op": "eq", "value": "there is none"})
    for elsewhere in ("south", "nowhere"):
        assert await seen({"field": "external_id", "op": "eq", "value": elsewhere}) == nobody
    assert await seen({"field": "external_id", "op": "eq", "value": "north"}) != nobody


async def test_a_name_is_refused_only_beside_its_like_and_without_telling_more(
    assignment: Assignment,
) -> None:
    draft_id = await assignment.draft()
    caller = assignment.caller("manager", territories=[NORTH])

    async def put(territory: UUID, name: str, parent: UUID, version: int) -> httpx.Response:
        return await assignment.http.put(
            f"/v1/plans/{draft_id}/territories/{territory}",
            json={"name": name, "kind": "geographic", "parent_id": str(parent)},
            headers={**caller, "if-match": f'"{version}"'},
        )

    assert (await put(uuid4(), "South", NORTH, 3)).status_code == 200
    assert (await put(uuid4(), "City", NORTH, 4)).status_code == 422
    # Next to the caller's own root, others' names exist: that one is taken is all that is told.
    answer = await put(NORTH, "South", ROOT, 4)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-tree")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]
    assert "South" not in answer.text
    assert str(SOUTH) not in answer.text


async def test_a_scoped_diff_tells_the_rules_that_send_into_the_scope_and_win_nothing(
    assignment: Assignment,
) -> None:
    live_id = await assignment.live(*ACCOUNTS)
    idle = [county_rule(CITY, "05001"), county_rule(NORTH, "01003"), county_rule(SOUTH, "05002")]
    clone_id = await assignment.clone(live_id, idle)
    caller = assignment.caller("viewer", territories=[NORTH])
    diff = (await assignment.http.get(f"/v1/plans/{clone_id}/diff", headers=caller)).json()
    assert diff["rules_without_accounts"] == [rule_id(CITY)]
    assert diff["summary"]["gaps"] == 1


async def test_figures_are_for_the_whole_organisation_and_who_plans_for_managers(
    assignment: Assignment,
) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    (activation,) = (await assignment.get("/v1/activations"))["items"]
    for part, one_id, figures, who in (
        ("activations", activation["activation_id"], {"accounts", "moved", "gaps", "ties"}, "recorded_by"),
        ("plans", plan_id, {"territories", "rules"}, "drafted_by"),
    ):
        whole = await assignment.get(f"/v1/{part}/{one_id}")
        assert all(whole[name] is not None for name in (*figures, who))
        for caller, hidden in (
            (assignment.caller("manager"), set()),
            (assignment.caller("manager", territories=[ROOT]), figures),
            (assignment.caller("contributor"), {who}),
            (assignment.caller("viewer", territories=[ROOT]), {*figures, who}),
        ):
            expected = {**whole, **dict.fromkeys(hidden)}
            one = await assignment.http.get(f"/v1/{part}/{one_id}", headers=caller)
            listed = await assignment.http.get(f"/v1/{part}", headers=caller)
            assert one.json() == expected
            assert listed.json()["items"] == [expected]


async def test_reps_and_coverages_are_seen_by_what_they_cover(assignment: Assignment) -> None:
    await assignment.live()
    content = "external_id,name\nr1,Ada\nr2,Bo\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    caller = assignment.caller("manager", territories=[NORTH])

    async def cover(territory: UUID, rep: str) -> int:
        body = {"territory_id": str(territory), "rep_id": str(rep_id_of(rep))}
        return (await assignment.http.post("/v1/coverages", json=body, headers=caller)).status_code

    assert await cover(CITY, "r1") == 201
    assert await cover(SOUTH, "r2") == 404
    await assignment.post("/v1/coverages", {"territory_id": str(SOUTH), "rep_id": str(rep_id_of("r2"))})
    listed = (await assignment.http.get("/v1/coverages", headers=caller)).json()["items"]
    assert [one["territory_id"] for one in listed] == [str(CITY)]
    reps = (await assignment.http.get("/v1/reps", headers=caller)).json()["items"]
    assert [rep["external_id"] for rep in reps] == ["r1"]
    for rep, status in (("r1", 200), ("r2", 404)):
        url = f"/v1/reps/{rep_id_of(rep)}"
        assert (await assignment.http.get(url, headers=caller)).status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/accounts/imports"),
        ("POST", "/v1/reps/imports"),
        ("POST", "/v1/plans"),
        ("POST", "/v1/plans/{plan}/clones"),
        ("PUT", "/v1/plans/{plan}/territories"),
        ("PUT", "/v1/plans/{plan}/rules"),
        ("POST", "/v1/plans/{plan}/activations"),
        ("POST", "/v1/plans/{plan}/rollbacks"),
    ],
)
async def test_what_concerns_all_needs_the_whole_organisation(
    assignment: Assignment, method: str, path: str
) -> None:
    url = path.format(plan=uuid4())
    bodies = {"territories": {"territories": TREE}, "rules": {"rules": RULES}}
    body = bodies.get(url.rpartition("/")[2], {"name": "x"})
    for caller, code in (
        (assignment.caller("manager", territories=[ROOT]), "outside-scope"),
        (assignment.caller("contributor"), "forbidden"),
    ):
        answer = await assignment.http.request(method, url, json=body, headers={**caller, "if-match": '"1"'})
        assert (answer.status_code, answer.json()["code"]) == (403, code)
