"""Accounts placed in a draft: ahead of its rules and behind its pins, wherever the plan is matched."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.assignment.alignments.releases.commands import ReleaseAccounts, release_accounts
from services.assignment.placements.commands import PlaceAccounts, place_accounts
from services.assignment.placements.placement import Pair
from services.assignment.plans.commands.revise_draft import DraftAsRead
from shared.contracts.identity import account_id_of, rep_id_of
from shared.db.transact import Transactor
from tests.service.assignment.conftest import CITY, NORTH, RULES, SOUTH, TREE, Assignment, rule_id
from tests.service.assignment.deliveries import register, tell_records

ACCOUNTS = [
    {"external_id": "city", "county": "01001"},
    {"external_id": "south", "county": "02001"},
    {"external_id": "nowhere", "county": "99999"},
]
ACCOUNT = str(account_id_of("city"))
RUN = UUID(int=0xDE51)
ALIGNED = "assignment.account.aligned.v1"


def _pairs(*pairs: tuple[str, UUID]) -> dict[str, Any]:
    return {
        "placements": [
            {"account_id": str(account_id_of(name)), "territory_id": str(territory)}
            for name, territory in pairs
        ]
    }


def _path(plan_id: str) -> str:
    return f"/v1/plans/{plan_id}/placements"


async def _place(assignment: Assignment, plan_id: str, *pairs: tuple[str, UUID]) -> dict[str, Any]:
    version = (await assignment.get(f"/v1/plans/{plan_id}"))["version"]
    return dict(await assignment.put(_path(plan_id), _pairs(*pairs), version=version))


async def _accept(
    assignment: Assignment, plan_id: str, *pairs: tuple[str, UUID], run: UUID = RUN, version: int = 1
) -> None:
    """Accept what a design run proposed, as the command that routes call takes it."""
    transact = Transactor(assignment.engine, assignment.clock, source="test")
    placed = await transact(
        place_accounts,
        PlaceAccounts(
            DraftAsRead(UUID(plan_id), version),
            [Pair(account_id_of(name), territory) for name, territory in pairs],
            run,
        ),
        actor="the-planner",
    )
    assert placed.rejected == ()


async def _placed(assignment: Assignment, *pairs: tuple[str, UUID]) -> str:
    """Have a live plan that places accounts, before it another, and return its id."""
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await _accept(assignment, clone_id, *pairs)
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    return clone_id


async def _where(assignment: Assignment, name: str = "city") -> tuple[str | None, str]:
    alignment = (await assignment.get(f"/v1/accounts/{account_id_of(name)}"))["alignment"]
    return alignment["territory_id"], alignment["cause"]


async def _delete(assignment: Assignment, path: str, *, version: int) -> Any:
    return await assignment.http.delete(path, headers={"if-match": f'"{version}"'})


async def test_a_draft_with_placements_is_seen_everywhere_as_it_would_be(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await _accept(assignment, clone_id, ("city", SOUTH), ("nowhere", NORTH))

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
    assert await _where(assignment) == (str(CITY), "rule")
    assert (await assignment.get(f"/v1/accounts/{ACCOUNT}/fit"))["territory_id"] == str(CITY)


async def test_an_activation_announces_placements_and_a_rollback_takes_them_back(
    assignment: Assignment,
) -> None:
    plan_id = await _placed(assignment, ("city", SOUTH))
    assert await _where(assignment) == (str(SOUTH), "design")
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
    assert await _where(assignment) == (str(CITY), "rule")
    # Forward again: the plan that was live still has what was accepted.
    assignment.clock.advance(timedelta(days=1))
    assert (await assignment.activate(plan_id))["moved"] == 1
    assert await _where(assignment) == (str(SOUTH), "design")


async def test_an_explanation_names_the_run_who_accepted_it_and_what_rules_would_have_said(
    assignment: Assignment,
) -> None:
    accepted_at = assignment.clock.now()
    plan_id = await _placed(assignment, ("city", SOUTH), ("nowhere", NORTH))
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
    await _place(assignment, draft_id, ("city", NORTH))
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
    report = await _place(assignment, clone_id, ("city", SOUTH), ("south", SOUTH))
    assert (report["added"], report["pinned"]) == (2, 1)
    assignment.clock.advance(timedelta(days=1))
    await assignment.activate(clone_id)
    assert await _where(assignment) == (str(NORTH), "pin")
    ground = (await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation"))["ground"]
    assert (ground["match"]["cause"], ground["placement"]["territory_id"]) == ("pin", str(SOUTH))

    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assignment.clock.advance(timedelta(days=30))
    both = await asyncio.gather(*(transact(release_accounts, ReleaseAccounts()) for _ in range(2)))
    assert max(both) == 1
    assert await _where(assignment) == (str(SOUTH), "design")
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
    assert (await _place(assignment, clone_id, ("city", SOUTH)))["pinned"] == 0
    await assignment.activate(clone_id)
    told = len(await assignment.events(ALIGNED))

    transact = Transactor(assignment.engine, assignment.clock, source="test")
    assignment.clock.advance(timedelta(days=30))
    assert await transact(release_accounts, ReleaseAccounts()) == 1
    assert await _where(assignment) == (str(SOUTH), "design")
    assert (await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation"))["replays"] is True
    assert await transact(release_accounts, ReleaseAccounts()) == 0
    assert len(await assignment.events(ALIGNED)) == told


async def test_placements_are_cloned_and_a_plan_that_was_live_keeps_its_own(assignment: Assignment) -> None:
    plan_id = await _placed(assignment, ("city", SOUTH))
    etag = (await assignment.http.get(f"/v1/plans/{plan_id}")).headers["etag"]
    for method, path, body in (
        ("PUT", _path(plan_id), _pairs(("city", NORTH))),
        ("DELETE", _path(plan_id), None),
        ("DELETE", f"{_path(plan_id)}/{ACCOUNT}", None),
    ):
        refused = await assignment.http.request(method, path, json=body, headers={"if-match": etag})
        assert (refused.status_code, refused.json()["code"]) == (409, "plan-not-draft")
    clone_id = await assignment.clone(plan_id)
    kept = await assignment.get(f"{_path(plan_id)}/{ACCOUNT}")
    assert await assignment.get(f"{_path(clone_id)}/{ACCOUNT}") == kept
    assert (kept["design_run_id"], kept["placed_by"]) == (str(RUN), "the-planner")
    # The clone decides the same, so nothing moves; without the placement the rules decide.
    assert (await assignment.activate(clone_id))["moved"] == 0
    last_id = await assignment.clone(clone_id)
    gone = await _delete(assignment, f"{_path(last_id)}/{ACCOUNT}", version=1)
    assert (gone.status_code, gone.headers["etag"]) == (204, '"2"')
    await assignment.activate(last_id)
    assert await _where(assignment) == (str(CITY), "rule")


async def test_imports_and_webhooks_leave_who_is_placed_and_new_accounts_go_by_rules(
    assignment: Assignment,
) -> None:
    await _placed(assignment, ("city", SOUTH))
    told = len(await assignment.events(ALIGNED))
    report = await assignment.import_accounts(
        {**ACCOUNTS[0], "county": "01003", "employees": 9}, {"external_id": "new", "county": "01003"}
    )
    assert (report["changed"], report["registered"], report["aligned"]) == (1, 1, 1)
    assert await _where(assignment) == (str(SOUTH), "design")
    assert await _where(assignment, "new") == (str(NORTH), "rule")
    await register(assignment)
    record = {"Id": "city", "Name": "Acme", "County_FIPS__c": "01001"}
    other = {"Id": "newer", "Name": "Beta", "County_FIPS__c": "01001"}
    assert await tell_records(assignment, record, other) == [("applied", None), ("applied", None)]
    assert await _where(assignment) == (str(SOUTH), "design")
    assert await _where(assignment, "newer") == (str(CITY), "rule")
    events = (await assignment.events(ALIGNED))[told:]
    assert {event["account_id"] for event in events} == {
        str(account_id_of("new")),
        str(account_id_of("newer")),
    }
    # As it was matched last, with the county that the webhook told.
    explained = await assignment.get(f"/v1/accounts/{ACCOUNT}/explanation")
    assert (explained["replays"], explained["ground"]["attributes"]["county"]) == (True, "01001")


async def test_every_pair_is_told_what_became_of_it(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await _accept(assignment, clone_id, ("city", SOUTH), ("south", SOUTH))
    wrong = [("stranger", SOUTH), ("nowhere", UUID(int=77)), ("nowhere", NORTH), ("nowhere", CITY)]
    answer = await assignment.http.put(
        _path(clone_id), json=_pairs(("city", NORTH), *wrong), headers={"if-match": '"2"'}
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
    listed = (await assignment.get(_path(clone_id)))["items"]
    assert {(one["account_id"], one["territory_id"], one["design_run_id"]) for one in listed} == {
        (ACCOUNT, str(NORTH), None),
        (str(account_id_of("south")), str(SOUTH), str(RUN)),
        (str(account_id_of("nowhere")), str(NORTH), None),
    }
    # The same again changes nothing, and who accepted it stands.
    assignment.clock.advance(timedelta(hours=1))
    again = await _place(assignment, clone_id, ("city", NORTH), ("nowhere", NORTH))
    assert (again["unchanged"], again["added"], again["replaced"]) == (2, 0, 0)
    assert (await assignment.get(_path(clone_id)))["items"] == listed
    # Another run's proposal in the same place is another's word for it.
    await _accept(assignment, clone_id, ("south", SOUTH), run=UUID(int=2), version=4)
    kept = await assignment.get(f"{_path(clone_id)}/{account_id_of('south')}")
    assert kept["design_run_id"] == str(UUID(int=2))


async def test_what_a_change_of_placements_needs(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id)
    path, version = _path(clone_id), {"if-match": '"1"'}
    body = _pairs(("city", SOUTH))
    assert (await assignment.http.put(path, json=body)).status_code == 428
    assert (await assignment.http.put(path, json=body, headers={"if-match": '"9"'})).status_code == 412
    scoped = assignment.caller("manager", territories=[SOUTH])
    for method in ("PUT", "DELETE"):
        refused = await assignment.http.request(method, path, json=body, headers={**scoped, **version})
        assert refused.status_code == 403
    nobody = await assignment.http.put(_path(str(UUID(int=5))), json=body, headers=version)
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


async def test_placements_are_taken_out_of_one_territory_of_one_account_or_all(
    assignment: Assignment,
) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    path = _path(clone_id)
    await _accept(assignment, clone_id, ("city", SOUTH), ("south", NORTH), ("nowhere", NORTH))
    north = await _delete(assignment, f"{path}?territory_id={NORTH}", version=2)
    assert (north.status_code, north.headers["etag"]) == (204, '"3"')
    assert [one["account_id"] for one in (await assignment.get(path))["items"]] == [ACCOUNT]
    assert (await _delete(assignment, f"{path}?territory_id={UUID(int=77)}", version=3)).status_code == 404
    assert (await _delete(assignment, f"{path}/{account_id_of('south')}", version=3)).status_code == 404
    await _accept(assignment, clone_id, ("nowhere", NORTH), version=3)
    assert (await _delete(assignment, f"{path}/{ACCOUNT}", version=4)).status_code == 204
    assert (await _delete(assignment, path, version=5)).status_code == 204
    assert (await assignment.get(path))["items"] == []
    assert (await assignment.get(f"/v1/plans/{clone_id}/diff"))["summary"]["moved"] == 0


async def test_a_territory_in_which_accounts_are_placed_does_not_go(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await _accept(assignment, clone_id, ("city", SOUTH))
    await assignment.put(f"/v1/plans/{clone_id}/rules", {"rules": RULES[:2]}, version=2)
    smaller = {"territories": [node for node in TREE if node["name"] != "South"]}
    path = f"/v1/plans/{clone_id}/territories"
    refused = await assignment.http.put(path, json=smaller, headers={"if-match": '"3"'})
    alone = await _delete(assignment, f"{path}/{SOUTH}", version=3)
    for answer in (refused, alone):
        assert (answer.status_code, answer.json()["code"]) == (409, "territory-in-use")
        assert "placements" in answer.json()["detail"]
    assert (await _delete(assignment, f"{_path(clone_id)}?territory_id={SOUTH}", version=3)).is_success
    assert (await _delete(assignment, f"{path}/{SOUTH}", version=4)).is_success


async def test_lists_are_paged_narrowed_and_kept_to_the_scope(assignment: Assignment) -> None:
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    await _accept(assignment, clone_id, ("city", NORTH), ("south", SOUTH), ("nowhere", SOUTH))
    await _place(assignment, clone_id, ("city", SOUTH))
    path = _path(clone_id)
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


async def test_a_plan_may_place_everybody_and_have_no_rules(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, rules=[])
    etag = (await assignment.http.get(f"/v1/plans/{clone_id}")).headers["etag"]
    refused = await assignment.http.post(
        f"/v1/plans/{clone_id}/activations", json={}, headers={"if-match": etag}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "plan-incomplete")
    await _place(assignment, clone_id, *((str(one["external_id"]), NORTH) for one in ACCOUNTS))
    report = await assignment.get(f"/v1/plans/{clone_id}/gate")
    assert "incomplete" not in {one["check"] for one in report["findings"]}
    assert (await assignment.activate(clone_id))["gaps"] == 0
    # Who comes later meets no rule: a gap that is told.
    await assignment.import_accounts({"external_id": "later", "county": "01001"})
    assert await _where(assignment, "later") == (None, "rule")


async def test_a_list_of_all_accounts_fits_into_one_request(assignment: Assignment) -> None:
    """Bodies end at a MiB elsewhere; this one is larger, and its errors are told up to a thousand."""
    clone_id = await assignment.clone(await assignment.live(*ACCOUNTS))
    strangers = ((f"stranger-{number}", SOUTH) for number in range(12_000))
    report = await _place(assignment, clone_id, ("city", SOUTH), *strangers)
    assert (report["received"], report["added"], report["rejected"]) == (12_001, 1, 12_000)
    assert (len(report["errors"]), report["errors"][0]["row"]) == (1_000, 2)


async def test_who_covers_the_place_counts_for_the_fit_of_who_is_placed(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    content = "external_id,name\nada,Ada\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    await assignment.post("/v1/coverages", {"territory_id": str(SOUTH), "rep_id": str(rep_id_of("ada"))})
    clone_id = await assignment.clone(plan_id)
    await _accept(assignment, clone_id, ("city", SOUTH))
    fit = await assignment.get(f"/v1/accounts/{ACCOUNT}/fit", plan_id=clone_id)
    assert [one["rep_id"] for one in fit["reps"]] == [str(rep_id_of("ada"))]
