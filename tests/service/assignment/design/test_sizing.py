"""How many reps a plan's accounts take, over HTTP, beside what it has."""

from typing import Any
from uuid import uuid4

import pytest

from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import LEAVES, ROOT, accounts, organisation

EMPLOYEES = sum(one["employees"] for one in accounts())


async def test_the_work_of_accounts_beside_what_the_draft_has(assignment: Assignment):
    plan_id = await organisation(
        assignment,
        {"external_id": "lost", "county": "01001", "employees": 7},
        {"external_id": "idle", "county": "01001", "latitude": 40, "longitude": -90},
    )
    report = await assignment.http.post(
        "/v1/reps/imports",
        content="external_id,name\nann,Ann\nbob,Bob\n",
        headers={"content-type": "text/csv"},
    )
    assert report.status_code == 200, report.text
    reps = {rep["external_id"]: rep["rep_id"] for rep in (await assignment.get("/v1/reps"))["items"]}
    north, south, *_ = LEAVES.values()
    for territory, rep, share in ((north, "ann", 100), (south, "bob", 50)):
        await assignment.post(
            "/v1/coverages",
            {
                "territory_id": str(territory),
                "rep_id": reps[rep],
                "role": "primary",
                "share_percent": str(share),
                "valid_from": assignment.clock.now().isoformat(),
            },
        )
    path = f"/v1/plans/{plan_id}/design-sizing"
    found = await assignment.get(path, measure="employees", per_rep=1500, tolerance=0.2)
    assert (found["accounts"], found["idle"], found["left_out"]["no_location"]) == (401, 1, 1)
    assert (found["total"], found["largest"]) == (EMPLOYEES, 50)
    assert found["reps"] == pytest.approx(EMPLOYEES / 1500)
    proposed = min(range(1, 50), key=lambda number: abs(EMPLOYEES / number / 1500 - 1))
    assert found["proposed"] == proposed
    inside = [number for number in range(1, 50) if abs(EMPLOYEES / number / 1500 - 1) <= 0.2]
    assert (found["fewest"], found["most"]) == (inside[0], inside[-1])
    assert found["most_whole"] == int(1.2 * EMPLOYEES / 50)
    assert found["staff"] == {
        "territories": 4,
        "vacant": 2,
        "capacity": 1.5,
        "load": pytest.approx(EMPLOYEES / 1.5),
        "missing": pytest.approx(EMPLOYEES / 1500 - 1.5),
    }
    told = {one["territories"]: one for one in found["options"]}
    assert told[4]["load"] == pytest.approx(EMPLOYEES / 4)
    assert [number for number, one in told.items() if one["within_tolerance"]] == inside
    # Each account counts one, those without employees too.
    counted = await assignment.get(path, measure="accounts", per_rep=100)
    assert (counted["total"], counted["reps"], counted["proposed"], counted["idle"]) == (401, 4.01, 4, 0)


async def test_before_there_are_territories_there_is_a_number_of_them(assignment: Assignment):
    await organisation(assignment)
    plan_id = (await assignment.post("/v1/plans", {"name": "Green field"}))["plan_id"]
    found = await assignment.get(f"/v1/plans/{plan_id}/design-sizing", measure="accounts", per_rep=50)
    assert (found["proposed"], found["staff"]["territories"], found["staff"]["load"]) == (8, 0, None)


async def test_without_work_nobody_is_needed(assignment: Assignment):
    plan_id = await organisation(assignment)
    found = await assignment.get(
        f"/v1/plans/{plan_id}/design-sizing", measure="revenue", currency="USD", per_rep=1_000_000
    )
    assert (found["total"], found["reps"], found["proposed"], found["options"]) == (0, 0, None, [])
    assert found["idle"] == 400


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "measure"),
        ({"measure": "accounts"}, "per_rep"),
        ({"measure": "accounts", "per_rep": 0}, "per_rep"),
        ({"measure": "accounts", "per_rep": "nan"}, "per_rep"),
        ({"measure": "accounts", "per_rep": "inf"}, "per_rep"),
        ({"measure": "accounts", "per_rep": 1e-320}, "per_rep"),
        ({"measure": "accounts", "per_rep": 1, "tolerance": 2}, "tolerance"),
        ({"measure": "revenue", "per_rep": 1}, "currency"),
        ({"measure": "accounts", "per_rep": 1, "currency": "USD"}, "currency"),
        ({"measure": "potential", "per_rep": 1}, "potential_estimate_id"),
        ({"measure": "accounts", "per_rep": 1, "soft": "true"}, "soft"),
    ],
)
async def test_what_cannot_be_sized_is_refused_with_the_field(
    assignment: Assignment, asked: dict[str, Any], says: str
):
    plan_id = (await assignment.post("/v1/plans", {"name": "Draft"}))["plan_id"]
    answer = await assignment.http.get(f"/v1/plans/{plan_id}/design-sizing", params=asked)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


async def test_whole_organisations_are_sized_by_who_sees_them(assignment: Assignment):
    plan_id = await organisation(assignment)
    path, asked = f"/v1/plans/{plan_id}/design-sizing", {"measure": "accounts", "per_rep": 1}
    seen = await assignment.http.get(path, params=asked, headers=assignment.caller("viewer"))
    assert seen.status_code == 200
    # 400 reps of one account each: as many territories, of which every few are told.
    assert (seen.json()["proposed"], len(seen.json()["options"]) < 70) == (400, True)
    scoped = assignment.caller("manager", territories=[ROOT])
    assert (await assignment.http.get(path, params=asked, headers=scoped)).status_code == 403
    unknown = await assignment.http.get(f"/v1/plans/{uuid4()}/design-sizing", params=asked)
    assert unknown.status_code == 404
    estimate = {"measure": "potential", "potential_estimate_id": str(uuid4()), "per_rep": 1}
    nowhere = await assignment.http.get(path, params=estimate)
    assert nowhere.status_code == 404
    assert nowhere.json()["detail"].startswith("potential_estimate_id: there is no such")
