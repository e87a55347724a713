"""Coverages: one primary rep at a time, handed over without gap or overlap."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.identity import rep_id_of
from tests.service.assignment.conftest import CITY, SOUTH, Assignment


@pytest.fixture
async def staffed(assignment: Assignment) -> Assignment:
    await assignment.live()
    content = "external_id,name\nada,Ada\nbo,Bo\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    return assignment


async def _cover(service: Assignment, rep: str, territory: UUID = CITY, **more: Any) -> httpx.Response:
    body = {"territory_id": str(territory), "rep_id": str(rep_id_of(rep)), **more}
    return await service.http.post("/v1/coverages", json=body)


async def test_a_successor_ends_the_coverage_before(staffed: Assignment) -> None:
    first = await _cover(staffed, "ada", valid_from="2026-01-01T00:00:00Z")
    assert first.status_code == 201
    assert first.json()["valid_to"] is None
    staffed.clock.advance(timedelta(days=1))
    second = (await _cover(staffed, "bo")).json()

    listed = (await staffed.get("/v1/coverages", territory_id=str(CITY)))["items"]
    periods = {one["rep_id"]: (one["valid_from"], one["valid_to"]) for one in listed}
    assert periods == {
        str(rep_id_of("ada")): ("2026-01-01T00:00:00Z", second["valid_from"]),
        str(rep_id_of("bo")): (second["valid_from"], None),
    }
    running = (await staffed.get("/v1/coverages", running=True))["items"]
    assert [one["coverage_id"] for one in running] == [second["coverage_id"]]
    assert await staffed.get(f"/v1/coverages/{second['coverage_id']}") == second
    order = await staffed.rows(
        "SELECT type FROM outbox WHERE aggregateid = :territory ORDER BY seq", territory=str(CITY)
    )
    assert [wire_type for (wire_type,) in order] == [
        "assignment.coverage.started.v1",
        "assignment.coverage.ended.v1",
        "assignment.coverage.started.v1",
    ]


async def test_refusals_name_what_is_wrong(staffed: Assignment) -> None:
    await _cover(staffed, "ada")
    for rep, territory, more, status, code in (
        ("ada", CITY, {}, 409, "rep-already-covers"),
        ("bo", CITY, {"valid_from": "2020-01-01T00:00:00Z"}, 409, "coverage-overlaps"),
        ("bo", SOUTH, {"valid_from": "2999-01-01T00:00:00Z"}, 422, "valid-from-ahead"),
        ("nobody", SOUTH, {}, 422, "unknown-rep"),
        ("bo", uuid4(), {}, 404, "not-found"),
        ("bo", SOUTH, {"share_percent": 101}, 422, "invalid-request"),
        ("bo", SOUTH, {"role": "backup"}, 422, "invalid-request"),
    ):
        answer = await _cover(staffed, rep, territory, **more)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await staffed.http.get(f"/v1/coverages/{uuid4()}")).status_code == 404


async def test_two_reps_at_once_never_overlap(staffed: Assignment) -> None:
    answers = await asyncio.gather(_cover(staffed, "ada"), _cover(staffed, "bo"))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "coverage-overlaps"}


async def test_a_past_coverage_before_another_is_refused_by_the_database(staffed: Assignment) -> None:
    """The application looks at the running one only; periods that ended are the constraint's business."""
    await _cover(staffed, "ada", valid_from="2026-01-01T00:00:00Z")
    await staffed.execute("UPDATE coverages SET valid = tstzrange(lower(valid), '2026-06-01')")
    answer = await _cover(staffed, "bo", valid_from="2026-03-01T00:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (409, "coverage-overlaps")
