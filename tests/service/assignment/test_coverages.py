"""Coverages: one primary and one backup at a time, handed over without gap or overlap; overlays share."""

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
        ("bo", SOUTH, {"role": "holdover"}, 422, "invalid-request"),
        ("bo", SOUTH, {"valid_to": "2020-01-01T00:00:00Z"}, 422, "valid-to-past"),
        ("bo", SOUTH, {"holdover_until": "2020-01-01T00:00:00Z"}, 422, "valid-to-past"),
        ("bo", SOUTH, {"holdover_until": "2999-01-01T00:00:00Z"}, 422, "nobody-hands-over"),
        (
            "bo",
            SOUTH,
            {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "2019-01-01T00:00:00Z"},
            422,
            "invalid-request",
        ),
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


async def _running(service: Assignment, territory: UUID = CITY) -> dict[str, set[str]]:
    """Return who covers a territory now, by role."""
    names = {str(rep_id_of(name)): name for name in ("ada", "bo", "cy")}
    found: dict[str, set[str]] = {}
    for one in (await service.get("/v1/coverages", territory_id=str(territory), running=True))["items"]:
        found.setdefault(one["role"], set()).add(names[one["rep_id"]])
    return found


async def test_roles_stand_beside_each_other_and_overlays_share_one(staffed: Assignment) -> None:
    content = "external_id,name\ncy,Cy\n"
    await staffed.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    for rep, role, share in (("ada", "primary", 100), ("bo", "backup", 100), ("bo", "overlay", 60)):
        assert (await _cover(staffed, rep, role=role, share_percent=share)).status_code == 201
    refused = await _cover(staffed, "cy", role="overlay", share_percent="40.01")
    assert (refused.status_code, refused.json()["code"]) == (409, "shares-exceed-whole")
    assert "40.00 %" in refused.json()["detail"]
    twice = await _cover(staffed, "bo", role="overlay", share_percent=1)
    assert (twice.status_code, twice.json()["code"]) == (409, "rep-already-covers")
    assert (await _cover(staffed, "cy", role="overlay", share_percent=40)).status_code == 201
    # A backup is one rep's: who comes takes over, and the other roles stay.
    staffed.clock.advance(timedelta(days=1))
    assert (await _cover(staffed, "cy", role="backup")).status_code == 201
    assert await _running(staffed) == {"primary": {"ada"}, "backup": {"cy"}, "overlay": {"bo", "cy"}}


async def test_overlays_asked_for_at_once_never_share_more_than_the_whole(staffed: Assignment) -> None:
    answers = await asyncio.gather(
        *(_cover(staffed, rep, role="overlay", share_percent=51) for rep in ("ada", "bo"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_the_outgoing_rep_keeps_a_holdover_until_its_date(staffed: Assignment) -> None:
    await _cover(staffed, "ada")
    staffed.clock.advance(timedelta(days=1))
    ends = staffed.clock.now() + timedelta(days=30)
    new = await _cover(staffed, "bo", holdover_until=ends.isoformat(), holdover_share_percent=25)
    assert new.status_code == 201
    assert await _running(staffed) == {"primary": {"bo"}, "holdover": {"ada"}}
    (kept,) = [
        one
        for one in (await staffed.get("/v1/coverages", territory_id=str(CITY)))["items"]
        if one["role"] == "holdover"
    ]
    assert (kept["share_percent"], kept["valid_from"]) == ("25.00", new.json()["valid_from"])
    started = (await staffed.events("assignment.coverage.started.v1"))[-1]
    ended = (await staffed.events("assignment.coverage.ended.v1"))[-1]
    assert (started["role"], started["coverage_id"]) == ("holdover", ended["coverage_id"])
    assert ended["valid_to"] == kept["valid_to"]
    staffed.clock.advance(timedelta(days=30))
    assert await _running(staffed) == {"primary": {"bo"}}


async def test_a_second_holdover_that_does_not_fit_is_refused_by_its_own_field(staffed: Assignment) -> None:
    """The successor's share is fine: what is too much is what the outgoing rep keeps beside an earlier holdover."""
    await _cover(staffed, "ada")
    ends = (staffed.clock.now() + timedelta(days=30)).isoformat()
    for rep, status in (("bo", 201), ("ada", 409)):
        staffed.clock.advance(timedelta(days=1))
        answer = await _cover(staffed, rep, holdover_until=ends)
        assert answer.status_code == status
    assert answer.json()["code"] == "shares-exceed-whole"
    assert answer.json()["detail"].startswith(
        "holdover_share_percent: others have up to 100.00 % of the holdover"
    )


async def test_an_end_that_stands_for_none_is_told_to_be_left_out(staffed: Assignment) -> None:
    late = await _cover(staffed, "bo", role="backup", valid_to="9999-12-31T23:59:59Z")
    assert (late.status_code, "leave it out for no end" in late.text) == (422, True)


async def test_a_coverage_ends_ahead_or_now_and_leaves_a_vacancy(staffed: Assignment) -> None:
    coverage = (await _cover(staffed, "ada")).json()
    path = f"/v1/coverages/{coverage['coverage_id']}/endings"
    past = await staffed.http.post(path, json={"valid_to": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["code"]) == (422, "valid-to-past")
    ahead = (staffed.clock.now() + timedelta(days=9)).isoformat()
    assert (await staffed.post(path, {"valid_to": ahead}))["valid_to"] is not None
    assert await _running(staffed) == {"primary": {"ada"}}
    later = (staffed.clock.now() + timedelta(days=10)).isoformat()
    again = await staffed.http.post(path, json={"valid_to": later})
    assert (again.status_code, again.json()["code"]) == (409, "coverage-ends")
    staffed.clock.advance(timedelta(days=1))
    outside = await staffed.http.post(path, headers=staffed.caller("manager", territories=[SOUTH]))
    assert outside.status_code == 404
    await staffed.post(path)
    assert await _running(staffed) == {}
    # The successor begins when they begin: nobody is ended twice.
    ends = len(await staffed.events("assignment.coverage.ended.v1"))
    assert (await _cover(staffed, "bo")).status_code == 201
    assert len(await staffed.events("assignment.coverage.ended.v1")) == ends


async def test_who_covers_for_a_known_time_is_seen_while_it_lasts(staffed: Assignment) -> None:
    coverage = (await _cover(staffed, "ada")).json()
    end = staffed.clock.now() + timedelta(days=30)
    await staffed.post(f"/v1/coverages/{coverage['coverage_id']}/endings", {"valid_to": end.isoformat()})
    manager, rep = staffed.caller("manager", territories=[CITY]), f"/v1/reps/{rep_id_of('ada')}"

    async def seen() -> tuple[int, int, int]:
        found = await staffed.http.get(rep, headers=manager)
        lists = [
            await staffed.http.get(path, headers=manager) for path in ("/v1/reps", "/v1/crm/salesforce/reps")
        ]
        return found.status_code, *(len(answer.json()["items"]) for answer in lists)

    assert await seen() == (200, 1, 1)
    staffed.clock.move_to(end - timedelta(seconds=1))
    assert await seen() == (200, 1, 1)
    staffed.clock.move_to(end)
    assert await seen() == (404, 0, 0)
