"""The gate: what it finds, what it refuses, who may override it, and who sets its limits."""

from datetime import timedelta
from typing import Any

from shared.contracts.identity import account_id_of, rep_id_of
from tests.service.assignment.conftest import CITY, NORTH, RULES, SOUTH, Assignment

ACCOUNTS = [
    {"external_id": "city", "county": "01001"},
    {"external_id": "south", "county": "02001"},
    {"external_id": "north", "county": "01003"},
]
PATH = "/v1/gate-policy"


async def _set(assignment: Assignment, **limits: Any) -> dict[str, Any]:
    version = (await assignment.get(PATH))["version"]
    return dict(await assignment.put(PATH, limits, version=version))


async def _findings(assignment: Assignment, plan_id: str) -> dict[str, dict[str, Any]]:
    report = await assignment.get(f"/v1/plans/{plan_id}/gate")
    return {one["check"]: one for one in report["findings"]}


async def _try(assignment: Assignment, plan_id: str, caller: dict[str, str], **body: Any) -> Any:
    etag = (await assignment.http.get(f"/v1/plans/{plan_id}")).headers["etag"]
    path = f"/v1/plans/{plan_id}/activations"
    return await assignment.http.post(path, json=body, headers={"if-match": etag, **caller})


async def test_findings_name_value_limit_fix_and_whom_they_concern(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    content = "external_id,name\nada,Ada\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    for territory in (SOUTH, NORTH):
        await assignment.post(
            "/v1/coverages", {"territory_id": str(territory), "rep_id": str(rep_id_of("ada"))}
        )
    ends = assignment.clock.now() + timedelta(days=1)
    clone_id = await assignment.clone(plan_id, RULES[1:])
    pin = {"territory_id": str(NORTH), "reason": "a promise", "owner_subject": "chief"}
    path = f"/v1/plans/{clone_id}/pins/{account_id_of('north')}"
    await assignment.put(path, {**pin, "expires_at": ends.isoformat()}, version=2)
    required = f"/v1/plans/{clone_id}/territories/{SOUTH}/required-certifications"
    await assignment.put(required, {"certification_codes": ["safety"]}, version=3)
    assignment.clock.advance(timedelta(days=1))

    found = await _findings(assignment, clone_id)
    # The city's account goes nowhere: one of three, and one of three that had a place.
    assert (found["gaps"]["value"], found["gaps"]["threshold"]) == ("0.3333", "0.01")
    assert found["disruption"]["value"] == "0.3333"
    # City is a leaf, so it is there to hold accounts, and nobody covers it.
    assert (found["vacancies"]["value"], found["vacancies"]["subject_ids"]) == ("0.3333", [str(CITY)])
    assert (found["certifications"]["value"], len(found["certifications"]["subject_ids"])) == ("1", 1)
    assert found["expired_pins"]["subject_ids"] == [str(account_id_of("north"))]
    assert all(one["severity"] == "warn" and one["fix"] for one in found.values())
    # What only warns keeps nobody from going on.
    await assignment.activate(clone_id)


async def test_what_blocks_is_refused_whole_and_an_administrator_may_say_why_not(
    assignment: Assignment,
) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, RULES[1:])
    await _set(assignment, gaps={"warn": "0.1", "block": "0.2"})
    before = await assignment.open_alignments()
    events = len(await assignment.events("assignment.account.aligned.v1"))
    manager, admin = assignment.caller("manager"), assignment.caller("admin")

    refused = await _try(assignment, clone_id, manager)
    assert (refused.status_code, refused.json()["code"]) == (409, "gate-refused")
    (finding,) = refused.json()["findings"]
    assert (finding["check"], finding["severity"], finding["value"]) == ("gaps", "block", "0.3333")
    assert (await assignment.get(f"/v1/plans/{clone_id}/gate"))["findings"] == [finding]
    assert await assignment.open_alignments() == before
    assert len(await assignment.events("assignment.account.aligned.v1")) == events
    assert (await assignment.get(f"/v1/plans/{clone_id}"))["state"] == "draft"

    denied = await _try(assignment, clone_id, manager, override_reason="I want to")
    assert (denied.status_code, denied.json()["code"]) == (403, "override-not-allowed")
    done = await _try(assignment, clone_id, admin, override_reason="The city is sold on Monday")
    assert done.status_code == 201, done.text
    path = f"/v1/activations/{done.json()['activation_id']}"
    assert (await assignment.get(path))["override_reason"] == "The city is sold on Monday"
    seen = await assignment.http.get(path, headers=assignment.caller("viewer"))
    assert seen.json()["override_reason"] is None
    ((kept,),) = await assignment.rows("SELECT findings FROM gate_overrides")
    assert kept == [finding]
    # The way back is open, whatever the limits.
    await _set(assignment, vacancies={"block": "0"})
    assert (await assignment.http.post(f"/v1/plans/{clone_id}/rollbacks")).status_code == 201
    # A reason that nothing called for overrides nothing.
    await _set(assignment, gaps={"block": "0.9"})
    again = await _try(assignment, clone_id, admin, override_reason="just in case")
    assert (again.status_code, again.json()["override_reason"]) == (201, None)


async def test_the_limits_are_an_administrators_and_every_version_stays(assignment: Assignment) -> None:
    first = await assignment.get(PATH)
    assert (first["version"], first["gaps"]) == (1, {"warn": "0.01", "block": "0.5"})
    second = await _set(assignment, ties={"block": "0.05"})
    assert (second["version"], second["ties"], second["gaps"]) == (
        2,
        {"warn": None, "block": "0.05"},
        {"warn": None, "block": None},
    )
    body = {"gaps": {"warn": "0.5"}}
    stale = await assignment.http.put(PATH, json=body, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    assert (await assignment.http.put(PATH, json=body)).status_code == 428
    manager = {**assignment.caller("manager"), "if-match": '"2"'}
    assert (await assignment.http.put(PATH, json=body, headers=manager)).status_code == 403
    for wrong, field in (
        ({"gaps": {"warn": "0.5", "block": "0.1"}}, "gaps"),
        ({"gaps": {"warn": "-1"}}, "warn"),
        ({"gapss": {}}, "gapss"),
    ):
        answer = await assignment.http.put(PATH, json=wrong, headers={"if-match": '"2"'})
        assert (answer.status_code, field in answer.text) == (422, True)
    assert await assignment.rows("SELECT version FROM gate_policies ORDER BY 1") == [(1,), (2,)]
    seen = await assignment.http.get(PATH, headers=assignment.caller("viewer", territories=[NORTH]))
    assert (seen.status_code, seen.json()["set_by"]) == (200, None)


async def test_the_gate_of_an_empty_draft_says_what_is_missing(assignment: Assignment) -> None:
    plan_id = (await assignment.post("/v1/plans", {"name": "Plan"}))["plan_id"]
    report = await assignment.get(f"/v1/plans/{plan_id}/gate")
    assert (report["passes"], report["findings"][0]["check"]) == (False, "incomplete")
    inside = await assignment.http.get(
        f"/v1/plans/{plan_id}/gate", headers=assignment.caller("manager", territories=[NORTH])
    )
    assert inside.status_code == 403
