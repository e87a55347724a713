"""Who may cover what: territories require, collab tells who holds it, and a date decides."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.assignment.certifications.eligibility import Missing
from services.assignment.certifications.queries import certification_findings
from services.assignment.projections.held_certifications import HELD_CERTIFICATIONS
from shared.contracts.envelope import Envelope
from shared.contracts.identity import rep_id_of
from shared.contracts.training import (
    TRAINING,
    CertificationExpired,
    CertificationGranted,
    CertificationRevoked,
)
from shared.db.transact import Transactor
from shared.messaging.received import Received
from shared.testing.frozen_clock import A_MONDAY
from tests.service.assignment.conftest import CITY, NORTH, SOUTH, Assignment

TODAY = A_MONDAY.date()
TOMORROW = TODAY + timedelta(days=1)
ADA, BO = rep_id_of("ada"), rep_id_of("bo")


@pytest.fixture
async def staffed(assignment: Assignment) -> Assignment:
    """A live plan of which the north requires "health" and the city "wine"; nobody covers anything."""
    plan_id = await assignment.draft()
    await _require(assignment, plan_id, NORTH, ["health"], version=3)
    await _require(assignment, plan_id, CITY, ["wine"], version=4)
    await assignment.activate(plan_id)
    content = "external_id,name\nada,Ada\nbo,Bo\n"
    await assignment.http.post("/v1/reps/imports", content=content, headers={"content-type": "text/csv"})
    return assignment


def _path(plan_id: str, territory: UUID) -> str:
    return f"/v1/plans/{plan_id}/territories/{territory}/required-certifications"


async def _require(
    service: Assignment, plan_id: str, territory: UUID, codes: list[str], *, version: int
) -> Any:
    return await service.put(_path(plan_id, territory), {"certification_codes": codes}, version=version)


async def _cover(service: Assignment, rep: UUID, territory: UUID = CITY) -> httpx.Response:
    return await service.http.post("/v1/coverages", json={"territory_id": str(territory), "rep_id": str(rep)})


async def _tell(service: Assignment, *events: Any) -> None:
    transact = Transactor(engine=service.engine, clock=service.clock, source="/demo/assignment")
    for number, event in enumerate(events, start=1):
        envelope = Envelope(id=str(uuid4()), source="/demo/collab", type=event.TYPE, aggregateversion=number)
        received = [Received(event, envelope, TRAINING, 0, number, event.key)]
        await transact(HELD_CERTIFICATIONS.handlers[type(event)], received)


def _granted(rep: UUID, code: str, valid_from: date, valid_to: date) -> CertificationGranted:
    return CertificationGranted(
        award_id=uuid4(),
        rep_id=rep,
        certification_code=code,
        valid_from=valid_from,
        valid_to=valid_to,
        renewal=False,
        granted_at=A_MONDAY,
    )


async def _ineligible(service: Assignment, **query: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    items = (await service.get("/v1/ineligible-coverages", **query))["items"]
    return [
        (item["rep_id"], [(one["certification_code"], one["reason"]) for one in item["missing"]])
        for item in items
    ]


async def test_a_coverage_without_the_certification_is_refused_with_the_reason(staffed: Assignment) -> None:
    await _tell(
        staffed,
        _granted(ADA, "health", TODAY - timedelta(days=365), TODAY),
        _granted(ADA, "wine", TOMORROW, TOMORROW + timedelta(days=9)),
    )
    refused = await _cover(staffed, ADA)
    assert (refused.status_code, refused.json()["code"]) == (409, "rep-not-certified")
    assert "health (no_longer_held)" in refused.json()["detail"]
    assert refused.json()["missing"] == [
        {"certification_code": "health", "reason": "no_longer_held", "held_until": TODAY.isoformat()},
        {"certification_code": "wine", "reason": "not_held_yet", "held_until": None},
    ]
    assert (await staffed.get("/v1/coverages"))["items"] == []
    assert (await _cover(staffed, ADA, SOUTH)).status_code == 201


async def test_an_expired_certificate_removes_eligibility_from_that_day_on(staffed: Assignment) -> None:
    """By the period in the grant: the event that tells of the expiry has not come, and need not."""
    ends = TODAY + timedelta(days=30)
    health, wine = _granted(ADA, "health", TODAY, ends), _granted(ADA, "wine", TODAY, date(2030, 1, 1))
    await _tell(staffed, health, wine)
    assert (await _cover(staffed, ADA)).status_code == 201
    assert await _ineligible(staffed) == []
    assert await _ineligible(staffed, on=(ends - timedelta(days=1)).isoformat()) == []
    gone = [(str(ADA), [("health", "no_longer_held")])]
    assert await _ineligible(staffed, on=ends.isoformat()) == gone
    staffed.clock.advance(timedelta(days=30))
    assert await _ineligible(staffed) == gone
    expired = CertificationExpired(
        award_id=health.award_id,
        rep_id=ADA,
        certification_code="health",
        valid_to=ends,
        announced_at=A_MONDAY,
    )
    await _tell(staffed, expired)
    assert await _ineligible(staffed) == gone
    await _tell(staffed, _granted(ADA, "health", ends, date(2030, 1, 1)))
    assert await _ineligible(staffed) == []


async def test_a_revocation_counts_from_its_day_and_a_repeated_grant_does_not_undo_it(
    staffed: Assignment,
) -> None:
    both = [_granted(ADA, code, TODAY - timedelta(days=9), date(2030, 1, 1)) for code in ("health", "wine")]
    await _tell(staffed, *both)
    await _cover(staffed, ADA)
    revoked = CertificationRevoked(
        award_id=both[0].award_id,
        rep_id=ADA,
        certification_code="health",
        revoked_from=TODAY,
        revoked_at=A_MONDAY,
    )
    await _tell(staffed, revoked, both[0])
    assert await _ineligible(staffed) == [(str(ADA), [("health", "no_longer_held")])]
    as_if_never = revoked.model_copy(update={"revoked_from": both[0].valid_from})
    await _tell(staffed, as_if_never)
    assert await _ineligible(staffed) == [(str(ADA), [("health", "never_held")])]


async def test_a_draft_that_requires_more_is_found_before_it_is_live(staffed: Assignment) -> None:
    """What an activation gate asks: who of those who cover now would lack what the draft requires."""
    assert (await _cover(staffed, BO, SOUTH)).status_code == 201
    live = (await staffed.get("/v1/plans", state="active"))["items"][0]["plan_id"]
    clone = await staffed.clone(live)
    assert (await staffed.get(_path(clone, CITY)))["certification_codes"] == ["wine"]
    required = await _require(staffed, clone, SOUTH, ["tea", "tea", "law"], version=1)
    assert required == {
        "territory_id": str(SOUTH),
        "certification_codes": ["law", "tea"],
        "inherited_codes": [],
    }
    await _tell(staffed, _granted(BO, "law", TODAY, TOMORROW))
    async with staffed.engine.connect() as connection:
        assert await certification_findings(connection, UUID(live), TODAY) == []
        (finding,) = await certification_findings(connection, UUID(clone), TODAY)
        assert (finding.rep_id, finding.certification_code, finding.reason) == (BO, "tea", Missing.NEVER_HELD)
        assert len(await certification_findings(connection, UUID(clone), TOMORROW)) == 2
    assert await _ineligible(staffed) == []
    assert await _ineligible(staffed, plan_id=clone) == [(str(BO), [("tea", "never_held")])]
    assert (
        await staffed.http.get("/v1/ineligible-coverages", params={"plan_id": str(uuid4())})
    ).status_code == 404
    await staffed.activate(clone)
    assert await _ineligible(staffed) == [(str(BO), [("tea", "never_held")])]


async def test_requirements_are_inherited_and_change_in_drafts_only(staffed: Assignment) -> None:
    live = (await staffed.get("/v1/plans", state="active"))["items"][0]
    assert await staffed.get(_path(live["plan_id"], CITY)) == {
        "territory_id": str(CITY),
        "certification_codes": ["wine"],
        "inherited_codes": ["health"],
    }
    tag = {"if-match": f'"{live["version"]}"'}
    body = {"certification_codes": []}
    for path, headers, sent, status, code in (
        (_path(live["plan_id"], CITY), tag, body, 409, "plan-not-draft"),
        (_path(str(uuid4()), CITY), tag, body, 404, "not-found"),
        (_path(live["plan_id"], CITY), {}, body, 428, "precondition-required"),
        (_path(live["plan_id"], CITY), tag, {"certification_codes": ["A b"]}, 422, "invalid-request"),
    ):
        answer = await staffed.http.put(path, json=sent, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    clone = await staffed.clone(live["plan_id"])
    unknown = await staffed.http.put(
        _path(clone, uuid4()), json={"certification_codes": ["tea"]}, headers={"if-match": '"1"'}
    )
    assert unknown.status_code == 404
    assert (await _require(staffed, clone, NORTH, [], version=1))["certification_codes"] == []
    assert (await staffed.get(_path(clone, CITY)))["inherited_codes"] == []


async def test_who_covers_without_is_told_page_by_page_within_the_scope(staffed: Assignment) -> None:
    """Whoever covered before the plan required anything is found, not removed."""
    await _tell(
        staffed,
        *(_granted(rep, code, TODAY, TOMORROW) for rep in (ADA, BO) for code in ("health", "wine")),
    )
    for rep, territory in ((ADA, CITY), (BO, NORTH), (ADA, SOUTH)):
        assert (await _cover(staffed, rep, territory)).status_code == 201
    staffed.clock.advance(timedelta(days=1))
    first = await staffed.get("/v1/ineligible-coverages", limit=1)
    rest = await staffed.get("/v1/ineligible-coverages", limit=1, cursor=first["next_cursor"])
    assert [item["territory_id"] for item in (*first["items"], *rest["items"])] == [str(CITY), str(NORTH)]
    assert rest["next_cursor"] is None
    assert len(first["items"][0]["missing"]) == 2
    assert [rep for rep, _ in await _ineligible(staffed, territory_id=str(CITY))] == [str(ADA)]
    headers = staffed.caller("viewer", territories=[SOUTH])
    assert (await staffed.http.get("/v1/ineligible-coverages", headers=headers)).json()["items"] == []
