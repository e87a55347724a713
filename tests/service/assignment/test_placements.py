"""Changing what a draft places: pair by pair, as a whole, by territory, and never in a plan that was live."""

import asyncio
from datetime import timedelta
from uuid import UUID

from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import CITY, NORTH, RULES, SOUTH, TREE, Assignment
from tests.service.assignment.placing import (
    ACCOUNT,
    ACCOUNTS,
    RUN,
    accept,
    delete,
    have_placed,
    pairs_of,
    path_of,
    place,
    where,
)


async def test_placements_are_cloned_and_a_plan_that_was_live_keeps_its_own(assignment: Assignment) -> None:
    plan_id = await have_placed(assignment, ("city", SOUTH))
    etag = (await assignment.http.get(f"/v1/plans/{plan_id}")).headers["etag"]
    for method, path, body in (
        ("PUT", path_of(plan_id), pairs_of(("city", NORTH))),
        ("DELETE", path_of(plan_id), None),
        ("DELETE", f"{path_of(plan_id)}/{ACCOUNT}", None),
    ):
        refused = await assignment.http.request(method, path, json=body, headers={"if-match": etag})
        assert (refused.status_code, refused.json()["code"]) == (409, "plan-not-draft")
    clone_id = await assignment.clone(plan_id)
    kept = await assignment.get(f"{path_of(plan_id)}/{ACCOUNT}")
    assert await assignment.get(f"{path_of(clone_id)}/{ACCOUNT}") == kept
    assert (kept["design_run_id"], kept["placed_by"]) == (str(RUN), "the-planner")
    # The clone decides the same, so nothing moves; without the placement the rules decide.
    assert (await assignment.activate(clone_id))["moved"] == 0
    last_id = await assignment.clone(clone_id)
    gone = await delete(assignment, f"{path_of(last_id)}/{ACCOUNT}", version=1)
    assert (gone.status_code, gone.headers["etag"]) == (204, '"2"')
    await assignment.activate(last_id)
    assert await where(assignment) == (str(CITY), "rule")


async def test_every_pair_is_told_what_became_of_it(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await accept(assignment, clone_id, ("city", SOUTH), ("south", SOUTH))
    wrong = [("stranger", SOUTH), ("nowhere", UUID(int=77)), ("nowhere", NORTH), ("nowhere", CITY)]
    answer = await assignment.http.put(
        path_of(clone_id), json=pairs_of(("city", NORTH), *wrong), headers={"if-match": '"2"'}
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    report = answer.json()
    assert (report["received"], report["added"], report["replaced"], report["rejected"]) == (5, 1, 1, 3)
    assert [(error["row"], error["code"]) for error in report["errors"]] == [
        (2, "unknown-account"),
        (3, "unknown-territory"),
        (5, "named-twice"),
    ]
    # Those not named stay with the run that placed them.
    listed = (await assignment.get(path_of(clone_id)))["items"]
    assert {(one["account_id"], one["territory_id"], one["design_run_id"]) for one in listed} == {
        (ACCOUNT, str(NORTH), None),
        (str(account_id_of("south")), str(SOUTH), str(RUN)),
        (str(account_id_of("nowhere")), str(NORTH), None),
    }
    # The same again changes nothing, and who accepted it stands.
    assignment.clock.advance(timedelta(hours=1))
    again = await place(assignment, clone_id, ("city", NORTH), ("nowhere", NORTH))
    assert (again["unchanged"], again["added"], again["replaced"]) == (2, 0, 0)
    assert (await assignment.get(path_of(clone_id)))["items"] == listed
    # Another run's proposal in the same place is another's word for it.
    await accept(assignment, clone_id, ("south", SOUTH), run=UUID(int=2), version=4)
    kept = await assignment.get(f"{path_of(clone_id)}/{account_id_of('south')}")
    assert kept["design_run_id"] == str(UUID(int=2))


async def test_what_comes_to_nothing_leaves_what_others_have_read_of_the_draft(
    assignment: Assignment,
) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    path, version = path_of(clone_id), {"if-match": '"1"'}
    wrong = pairs_of(("stranger", SOUTH), ("city", UUID(int=77)))
    answer = await assignment.http.put(path, json=wrong, headers=version)
    assert (answer.status_code, answer.headers["etag"], answer.json()["rejected"]) == (200, '"1"', 2)
    gone = await delete(assignment, f"{path}?territory_id={NORTH}", version=1)
    assert (gone.status_code, gone.headers["etag"]) == (204, '"1"')
    unknown = await delete(assignment, f"{path}?design_run_id={UUID(int=78)}", version=1)
    assert unknown.status_code == 404
    assert (await assignment.get(f"/v1/plans/{clone_id}"))["version"] == 1
    # It is still looked at which draft was meant.
    for refused in (
        await assignment.http.put(path, json=wrong, headers={"if-match": '"9"'}),
        await delete(assignment, path, version=9),
    ):
        assert refused.status_code == 412


async def test_what_a_change_of_placements_needs(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id)
    path, version = path_of(clone_id), {"if-match": '"1"'}
    body = pairs_of(("city", SOUTH))
    assert (await assignment.http.put(path, json=body)).status_code == 428
    assert (await assignment.http.put(path, json=body, headers={"if-match": '"9"'})).status_code == 412
    scoped = assignment.caller("manager", territories=[SOUTH])
    for method in ("PUT", "DELETE"):
        refused = await assignment.http.request(method, path, json=body, headers={**scoped, **version})
        assert refused.status_code == 403
    nobody = await assignment.http.put(path_of(str(UUID(int=5))), json=body, headers=version)
    assert nobody.status_code == 404
    for content, status, field in (
        (b"{", 400, "JSON"),
        (b"[]", 422, "body"),
        (b'{"placements": []}', 422, "/placements"),
        (b'{"placements": [{"account_id": "x", "territory_id": "y"}]}', 422, "/placements/0/account_id"),
        (b'{"placements": [{"account_id": "' + ACCOUNT.encode() + b'"}]}', 422, "/placements/0/territory_id"),
    ):
        answer = await assignment.http.put(
            path, content=content, headers={**version, "content-type": "application/json"}
        )
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in answer.text
    assert (await assignment.get(path))["items"] == []
    await assignment.put(path, body, version=1)
    entry = (await assignment.get("/v1/audit-entries", operation="put-placements"))["items"][-1]
    assert (entry["path_parameters"], entry["status"]) == ({"plan_id": clone_id}, 200)


async def test_of_two_who_accept_at_once_one_has_to_look_again(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    answers = await asyncio.gather(
        *(
            assignment.http.put(
                path_of(clone_id),
                json=pairs_of(("city", territory), ("south", territory)),
                headers={"if-match": '"1"'},
            )
            for territory in (NORTH, SOUTH)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    won = (NORTH, SOUTH)[[answer.status_code for answer in answers].index(200)]
    listed = (await assignment.get(path_of(clone_id)))["items"]
    assert [one["territory_id"] for one in listed] == [str(won)] * 2


async def test_placements_are_taken_out_of_one_territory_of_one_account_or_all(
    assignment: Assignment,
) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    path = path_of(clone_id)
    await accept(assignment, clone_id, ("city", SOUTH), ("south", NORTH), ("nowhere", NORTH))
    north = await delete(assignment, f"{path}?territory_id={NORTH}", version=2)
    assert (north.status_code, north.headers["etag"]) == (204, '"3"')
    assert [one["account_id"] for one in (await assignment.get(path))["items"]] == [ACCOUNT]
    assert (await delete(assignment, f"{path}?territory_id={UUID(int=77)}", version=3)).status_code == 404
    assert (await delete(assignment, f"{path}/{account_id_of('south')}", version=3)).status_code == 404
    await accept(assignment, clone_id, ("nowhere", NORTH), version=3)
    # Back to before a run was accepted: what others put there stays.
    await accept(assignment, clone_id, ("south", NORTH), run=UUID(int=2), version=4)
    unknown = await delete(assignment, f"{path}?design_run_id={UUID(int=78)}", version=5)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (await delete(assignment, f"{path}?design_run_id={UUID(int=2)}", version=5)).is_success
    assert len((await assignment.get(path))["items"]) == 2
    assert (await delete(assignment, f"{path}/{ACCOUNT}", version=6)).status_code == 204
    assert (await delete(assignment, path, version=7)).status_code == 204
    assert (await assignment.get(path))["items"] == []
    assert (await assignment.get(f"/v1/plans/{clone_id}/diff"))["summary"]["moved"] == 0


async def test_a_territory_in_which_accounts_are_placed_does_not_go(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await accept(assignment, clone_id, ("city", SOUTH))
    await assignment.put(f"/v1/plans/{clone_id}/rules", {"rules": RULES[:2]}, version=2)
    smaller = {"territories": [node for node in TREE if node["name"] != "South"]}
    path = f"/v1/plans/{clone_id}/territories"
    refused = await assignment.http.put(path, json=smaller, headers={"if-match": '"3"'})
    alone = await delete(assignment, f"{path}/{SOUTH}", version=3)
    for answer in (refused, alone):
        assert (answer.status_code, answer.json()["code"]) == (409, "territory-in-use")
        assert "placements" in answer.json()["detail"]
    assert (await delete(assignment, f"{path_of(clone_id)}?territory_id={SOUTH}", version=3)).is_success
    assert (await delete(assignment, f"{path}/{SOUTH}", version=4)).is_success


async def test_lists_are_paged_narrowed_and_kept_to_the_scope(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await accept(assignment, clone_id, ("city", NORTH), ("south", SOUTH), ("nowhere", SOUTH))
    await place(assignment, clone_id, ("city", SOUTH))
    path = path_of(clone_id)
    first = await assignment.get(path, limit=2)
    rest = await assignment.get(path, limit=2, cursor=first["next_cursor"])
    found = [one["account_id"] for one in (*first["items"], *rest["items"])]
    assert found == sorted(str(account_id_of(name["external_id"])) for name in ACCOUNTS)
    assert rest["next_cursor"] is None
    assert (await assignment.get(path, territory_id=str(NORTH)))["items"] == []
    of_run = await assignment.get(path, design_run_id=str(RUN), territory_id=str(SOUTH))
    assert len(of_run["items"]) == 2
    # What the draft would bring them from elsewhere is not theirs to see.
    of_south = assignment.caller("manager", territories=[SOUTH])
    seen = (await assignment.http.get(path, headers=of_south)).json()["items"]
    assert [one["account_id"] for one in seen] == [str(account_id_of("south"))]
    assert (await assignment.http.get(f"{path}/{ACCOUNT}", headers=of_south)).status_code == 404
    away = await assignment.http.get(path, params={"territory_id": str(NORTH)}, headers=of_south)
    assert away.status_code == 404
    viewer = assignment.caller("viewer", territories=[SOUTH])
    assert (await assignment.http.get(path, headers=viewer)).json()["items"][0]["placed_by"] is None


async def test_a_list_of_all_accounts_fits_into_one_request(assignment: Assignment) -> None:
    """Bodies end at a MiB elsewhere; this one is larger, and its errors are told up to a thousand."""
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    strangers = ((f"stranger-{number}", SOUTH) for number in range(12_000))
    report = await place(assignment, clone_id, ("city", SOUTH), *strangers)
    assert (report["received"], report["added"], report["rejected"]) == (12_001, 1, 12_000)
    assert (len(report["errors"]), report["errors"][0]["row"]) == (1_000, 2)
    # What is no pair at all is told by its place, however far down.
    body = pairs_of(*((f"stranger-{number}", SOUTH) for number in range(2_500)))
    body["placements"][2_400]["territory_id"] = 7
    answer = await assignment.http.put(path_of(clone_id), json=body, headers={"if-match": '"2"'})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/placements/2400/territory_id"]
