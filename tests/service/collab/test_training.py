"""Training: enrolment by rule, statements told twice, what they grant, who notices that it expires."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.collab.training.expiry.commands import (
    EnrolByRule,
    NoticeExpiry,
    enrol_whom_rules_name,
    notice_expired,
    notice_expiring,
)
from shared.contracts.assignment import AccountChanged, AccountRegistered, CoverageStarted
from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import NORTH, NORTH_CITY, SOUTH, Collab, aligned

REP, OTHER_REP = UUID(int=0xA1), UUID(int=0xA2)
TODAY = A_MONDAY.date()


@pytest.fixture
async def school(collab: Collab) -> Collab:
    """Collab with a certification of a year, and a live tree with a rep in the north."""
    await collab.go_live()
    await _certify(collab, "health-basics", grace_days=30)
    await collab.feed(_covers(REP, NORTH))
    return collab


def _covers(rep: UUID, territory: UUID) -> CoverageStarted:
    return CoverageStarted(
        coverage_id=uuid4(),
        territory_id=territory,
        rep_id=rep,
        role="primary",
        share_percent=100,
        valid_from=A_MONDAY - timedelta(days=30),
    )


def _account(account: UUID, industry: str, kind: type = AccountRegistered) -> AccountRegistered:
    nothing = dict.fromkeys(("postal_code", "county", "state", "employees"))
    return kind(account_id=account, external_id=str(account), industry=industry, **nothing)


async def _certify(collab: Collab, code: str, **terms: Any) -> dict:
    body = {"certification_code": code, "name": code, "kind": "industry", "tag": "health"}
    body |= {"validity_months": 12, "renewal_window_days": 60, **terms}
    return await _ok(collab, "POST", "/v1/certifications", body, 201)


async def _programme(collab: Collab, **more: Any) -> dict:
    body = {
        "name": "Selling to clinics",
        "grants": "health-basics",
        "courses": [{"code": "privacy", "title": "Privacy", "mastery_score": 80}],
        **more,
    }
    return await _ok(collab, "POST", "/v1/programmes", body, 201)


async def _send(collab: Collab, method: str, path: str, body: Any = None, **caller: Any) -> httpx.Response:
    headers = collab.as_(*caller.pop("roles", ("admin",)), **caller)
    return await collab.http.request(method, path, json=body, headers=headers)


async def _ok(collab: Collab, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await _send(collab, method, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def _enrol(collab: Collab, programme: dict, rep: UUID = REP) -> dict:
    body = {"programme_id": programme["programme_id"], "rep_id": str(rep)}
    return await _ok(collab, "POST", "/v1/enrolments", body, 201)


def _told(enrolment: dict, *, score: float = 90, on: date = TODAY, course: str = "privacy") -> dict:
    return {
        "enrolment_id": enrolment["enrolment_id"],
        "course_code": course,
        "score": score,
        "completed_on": on.isoformat(),
    }


async def _awards(collab: Collab, rep: UUID = REP) -> list[dict]:
    return (await _ok(collab, "GET", f"/v1/awards?rep_id={rep}"))["items"]


async def _announced(collab: Collab) -> list[str]:
    return [kind.split(".")[2] for kind, _ in await collab.outbox() if "certification" in kind]


async def test_a_statement_told_again_is_the_same_and_told_differently_is_refused(school: Collab) -> None:
    enrolment = await _enrol(school, await _programme(school))
    path = f"/v1/statements/{uuid4()}"
    first = await _ok(school, "PUT", path, _told(enrolment))
    assert first["passed"] is True
    assert await _ok(school, "PUT", path, _told(enrolment)) == first
    other = await _send(school, "PUT", path, _told(enrolment, score=91))
    assert (other.status_code, other.json()["code"]) == (409, "statement-conflict")
    assert "score" in other.json()["detail"]
    assert await _ok(school, "GET", path) == first
    (award,) = await _awards(school)
    assert (award["valid_from"], award["valid_to"]) == ("2026-11-23", "2027-11-23")
    assert await _announced(school) == ["granted"]
    told = await _ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}/statements")
    assert told["items"] == [first]


async def test_a_score_below_mastery_completes_nothing(school: Collab) -> None:
    enrolment = await _enrol(school, await _programme(school))
    failed = await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment, score=79.99))
    assert failed["passed"] is False
    found = await _ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["courses"][0]["passed_on"]) == ("open", None)
    assert await _awards(school) == []


async def test_voiding_the_pass_takes_completion_and_award_back(school: Collab) -> None:
    enrolment = await _enrol(school, await _programme(school))
    path = f"/v1/statements/{uuid4()}"
    await _ok(school, "PUT", path, _told(enrolment))
    voided = await _ok(school, "POST", f"{path}/voidings", {"reason": "wrong person"})
    assert (voided["void_reason"], voided["voided_by"]) == ("wrong person", "tester")
    found = await _ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["completed_on"], found["award_id"]) == ("open", None, None)
    (award,) = await _awards(school)
    assert (award["state"], award["valid_to"]) == ("revoked", award["valid_from"])
    assert await _announced(school) == ["granted", "revoked"]
    again = await _send(school, "POST", f"{path}/voidings", {"reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "statement-voided")
    await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment))
    assert [award["state"] for award in await _awards(school)] == ["revoked", "valid"]


async def test_a_waiver_satisfies_with_who_and_why(school: Collab) -> None:
    courses = [{"code": code, "title": code} for code in ("privacy", "products")]
    enrolment = await _enrol(school, await _programme(school, courses=courses))
    path = f"/v1/enrolments/{enrolment['enrolment_id']}"
    await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment, score=0))
    assert await _awards(school) == []
    body = {"course_code": "products", "reason": "Wrote the course."}
    waived = await _ok(school, "POST", f"{path}/waivers", body, 201)
    assert waived["state"] == "completed"
    assert waived["courses"][1] | {"title": ""} == {
        "course_code": "products",
        "title": "",
        "mastery_score": "0",
        "passed_on": None,
        "waived_on": "2026-11-23",
        "waived_by": "tester",
        "waiver_reason": "Wrote the course.",
    }
    assert waived["award_id"] == (await _awards(school))[0]["award_id"]
    entries = await _ok(school, "GET", "/v1/audit-entries?limit=500")
    assert any(entry["route"].endswith("/waivers") for entry in entries["items"])
    again = await _send(school, "POST", f"{path}/waivers", body)
    assert (again.status_code, again.json()["code"]) == (409, "course-satisfied")


async def test_an_early_renewal_extends_from_the_old_expiry_and_an_overlap_is_refused(school: Collab) -> None:
    school.clock.move_to(datetime(2025, 1, 29, 12, tzinfo=UTC))
    first = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2024-02-29"}
    granted = await _ok(school, "POST", "/v1/awards", first, 201)
    assert (granted["valid_to"], granted["state"]) == ("2025-02-28", "expiring")
    enrolment = await _enrol(school, await _programme(school))
    await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment, on=date(2025, 1, 29)))
    renewed = (await _awards(school))[1]
    assert (renewed["valid_from"], renewed["valid_to"]) == ("2025-02-28", "2026-02-28")
    assert (renewed["renewal"], renewed["state"]) == (True, "upcoming")
    overlap = await _send(school, "POST", "/v1/awards", {**first, "valid_from": "2024-12-01"})
    assert (overlap.status_code, overlap.json()["code"]) == (409, "award-overlaps")
    assert len(await _awards(school)) == 2


async def test_a_pass_before_the_window_completes_and_says_why_it_grants_nothing(school: Collab) -> None:
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await _ok(school, "POST", "/v1/awards", body, 201)
    enrolment = await _enrol(school, await _programme(school))
    await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment))
    found = await _ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["award_id"]) == ("completed", None)
    assert found["award_withheld"] == "renewal-window-not-open"


async def test_two_grants_at_once_never_overlap(school: Collab) -> None:
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    answers = await asyncio.gather(*(_send(school, "POST", "/v1/awards", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await _announced(school) == ["granted"]


async def test_coverage_enrols_by_the_kind_of_territory_once(school: Collab) -> None:
    programme = await _programme(school, enrols={"territory_kinds": ["geographic"]})
    overlay = await _programme(school, enrols={"territory_kinds": ["overlay"]})
    for _ in range(2):
        await school.feed(_covers(OTHER_REP, SOUTH))
        await school.transact(enrol_whom_rules_name, EnrolByRule())
    (enrolment,) = (await _ok(school, "GET", f"/v1/enrolments?rep_id={OTHER_REP}"))["items"]
    assert (enrolment["cause"], enrolment["territory_id"]) == ("territory_kind", str(SOUTH))
    assert enrolment["due_on"] == "2026-12-23"
    assert (await _ok(school, "GET", f"/v1/enrolments?programme_id={overlay['programme_id']}"))["items"] == []
    by_hand = {"programme_id": programme["programme_id"], "rep_id": str(OTHER_REP)}
    again = await _send(school, "POST", "/v1/enrolments", by_hand)
    assert (again.status_code, again.json()["code"]) == (409, "already-enrolled")


async def test_an_industry_that_moves_in_enrols_who_covers_it_unless_certified(school: Collab) -> None:
    programme = await _programme(school, enrols={"industries": ["Health"]})
    await school.feed(_covers(OTHER_REP, SOUTH))
    body = {"rep_id": str(OTHER_REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await _ok(school, "POST", "/v1/awards", body, 201)
    clinic, mill = uuid4(), uuid4()
    await school.feed(_account(clinic, "retail"), _account(mill, "food"))
    await school.feed(aligned(clinic, None, NORTH, uuid4()), aligned(mill, None, SOUTH, uuid4()), version=2)
    assert await school.transact(enrol_whom_rules_name, EnrolByRule()) == 0
    await school.feed(
        _account(clinic, "HEALTH", AccountChanged), _account(mill, "HEALTH", AccountChanged), version=3
    )
    assert await school.transact(enrol_whom_rules_name, EnrolByRule()) == 1
    (enrolment,) = (await _ok(school, "GET", f"/v1/enrolments?programme_id={programme['programme_id']}"))[
        "items"
    ]
    assert (enrolment["rep_id"], enrolment["cause"]) == (str(REP), "industry")


async def test_who_is_enrolled_goes_on_under_their_version(school: Collab) -> None:
    programme = await _programme(school)
    enrolment = await _enrol(school, programme)
    path = f"/v1/programmes/{programme['programme_id']}"
    stricter = {"name": "Longer", "courses": [{"code": "new", "title": "New"}]}
    refused = await _send(school, "PUT", path, stricter)
    assert refused.status_code == 428
    headers = {**school.as_("admin"), "if-match": '"1"'}
    changed = await school.http.put(path, json=stricter, headers=headers)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await school.http.put(path, json=stricter, headers=headers)).status_code == 412
    assert [row["version"] for row in (await _ok(school, "GET", f"{path}/versions"))["items"]] == [1, 2]
    unknown = await _send(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment, course="new"))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-course")
    assert (await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment)))["passed"] is True


async def test_expiry_is_noticed_once_and_enrols_for_renewal(school: Collab) -> None:
    programme = await _programme(school, enrols={"on_expiry": True})
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    award = await _ok(school, "POST", "/v1/awards", body, 201)
    assert await _notice(school) == (0, 0)
    school.clock.move_to(datetime(2027, 9, 2, tzinfo=UTC))
    noticed = await asyncio.gather(*(_notice(school) for _ in range(3)))
    assert sorted(noticed) == [(0, 0), (0, 0), (1, 0)]
    (enrolment,) = (await _ok(school, "GET", f"/v1/enrolments?programme_id={programme['programme_id']}"))[
        "items"
    ]
    assert (enrolment["cause"], enrolment["renews_award_id"]) == ("expiry", award["award_id"])
    assert enrolment["due_on"] == "2027-11-01"
    school.clock.move_to(datetime(2027, 10, 31, 23, 59, tzinfo=UTC))
    assert await _notice(school) == (0, 0)
    school.clock.move_to(datetime(2027, 11, 1, tzinfo=UTC))
    assert await _notice(school) == (0, 1)
    assert await _notice(school) == (0, 0)
    assert await _announced(school) == ["granted", "expiring", "expired"]
    assert (await _awards(school))[0]["state"] == "in_grace"


async def test_what_was_renewed_or_revoked_is_not_announced_as_expired(school: Collab) -> None:
    grant = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await _ok(school, "POST", "/v1/awards", grant, 201)
    other = await _ok(school, "POST", "/v1/awards", {**grant, "rep_id": str(OTHER_REP)}, 201)
    revoked = await _ok(
        school, "POST", f"/v1/awards/{other['award_id']}/revocations", {"reason": "Left the team."}
    )
    assert (revoked["valid_to"], revoked["state"]) == ("2026-11-23", "revoked")
    school.clock.move_to(datetime(2027, 10, 1, tzinfo=UTC))
    enrolment = await _enrol(school, await _programme(school))
    await _ok(school, "PUT", f"/v1/statements/{uuid4()}", _told(enrolment, on=date(2027, 10, 1)))
    school.clock.move_to(datetime(2027, 12, 1, tzinfo=UTC))
    await _notice(school)
    assert await _announced(school) == ["granted", "granted", "revoked", "granted"]


async def test_skill_gaps_set_what_accounts_ask_for_against_what_reps_hold(school: Collab) -> None:
    clinic, bank = uuid4(), uuid4()
    await school.feed(_covers(OTHER_REP, NORTH_CITY))
    await school.feed(_account(clinic, "health"), _account(bank, "Finance"))
    await school.feed(
        aligned(clinic, None, NORTH, uuid4()), aligned(bank, None, NORTH_CITY, uuid4()), version=2
    )
    await _certify(school, "finance-basics")
    await _ok(school, "PUT", "/v1/skill-requirements/health", {"certification_codes": ["health-basics"]})
    await _ok(school, "PUT", "/v1/skill-requirements/finance", {"certification_codes": ["finance-basics"]})
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await _ok(school, "POST", "/v1/awards", body, 201)
    page = await _ok(school, "GET", f"/v1/territories/{NORTH}/skill-gaps")
    shown = {item["territory_id"]: item["needs"] for item in page["items"]}
    assert [(n["certification_code"], n["accounts"], n["state"]) for n in shown[str(NORTH)]] == [
        ("health-basics", 1, "met")
    ]
    assert [(n["certification_code"], n["state"]) for n in shown[str(NORTH_CITY)]] == [
        ("finance-basics", "gap")
    ]
    later = await _ok(school, "GET", f"/v1/territories/{NORTH}/skill-gaps?on=2027-11-01&limit=1")
    assert later["items"][0]["needs"][0]["state"] == "gap"
    assert later["next_cursor"] is not None
    outside = await _send(
        school, "GET", f"/v1/territories/{NORTH}/skill-gaps", roles=("viewer",), territories=[SOUTH]
    )
    assert outside.status_code == 404


async def test_requirements_change_only_from_the_version_that_was_read(school: Collab) -> None:
    path = "/v1/skill-requirements/health"
    await _ok(school, "PUT", path, {"certification_codes": ["health-basics"]})
    blind = await _send(school, "PUT", path, {"certification_codes": []})
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    headers = {**school.as_("admin"), "if-match": '"1"'}
    assert (await school.http.put(path, json={"certification_codes": []}, headers=headers)).status_code == 200
    assert (await school.http.put(path, json={"certification_codes": []}, headers=headers)).status_code == 412
    unknown = await _send(school, "PUT", "/v1/skill-requirements/food", {"certification_codes": ["nothing"]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-certification")
    assert (
        await _send(school, "PUT", path, {"certification_codes": []}, roles=("manager",))
    ).status_code == 403


async def test_cohorts_group_reps_by_the_month_of_their_first_certificate(school: Collab) -> None:
    for rep, day in ((REP, "2025-10-05"), (OTHER_REP, "2026-10-20")):
        body = {"rep_id": str(rep), "certification_code": "health-basics", "valid_from": day}
        await _ok(school, "POST", "/v1/awards", body, 201)
    again = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await _ok(school, "POST", "/v1/awards", again, 201)
    path = "/v1/certifications/health-basics/cohorts"
    cohorts = (await _ok(school, "GET", path))["items"]
    assert [(c["month"], c["rep_ids"], c["certified_now"]) for c in cohorts] == [
        ("2025-10-01", [str(REP)], 1),
        ("2026-10-01", [str(OTHER_REP)], 1),
    ]
    assert len((await _ok(school, "GET", f"{path}?since=2026-01-01&until=2027-01-01"))["items"]) == 1


async def test_a_scope_sees_and_certifies_its_own_reps(school: Collab) -> None:
    await school.feed(_covers(OTHER_REP, SOUTH))
    north = {"roles": ("manager",), "territories": [NORTH]}
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    mine = await _send(school, "POST", "/v1/awards", body, **north)
    assert mine.status_code == 201
    theirs = await _send(school, "POST", "/v1/awards", {**body, "rep_id": str(OTHER_REP)}, **north)
    assert theirs.status_code == 404
    award = (await _ok(school, "POST", "/v1/awards", {**body, "rep_id": str(OTHER_REP)}, 201))["award_id"]
    assert (await _send(school, "GET", f"/v1/awards/{award}", **north)).status_code == 404
    refused = await _send(school, "POST", f"/v1/awards/{award}/revocations", {"reason": "No."}, **north)
    assert refused.status_code == 404
    listed = (await _send(school, "GET", "/v1/awards", **north)).json()["items"]
    assert [item["rep_id"] for item in listed] == [str(REP)]
    own = {"roles": ("viewer",), "territories": [NORTH], "subject": str(OTHER_REP)}
    assert (await _send(school, "GET", f"/v1/awards/{award}", **own)).status_code == 200


async def test_bad_input_names_the_field_and_writes_nothing(school: Collab) -> None:
    enrolment = await _enrol(school, await _programme(school))
    tomorrow = TODAY + timedelta(days=1)
    award = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": tomorrow.isoformat()}
    for method, path, body, status, code, field in (
        ("PUT", f"/v1/statements/{uuid4()}", _told(enrolment, on=tomorrow), 422, "day-ahead", "completed_on"),
        ("PUT", f"/v1/statements/{uuid4()}", _told(enrolment, score=101), 422, "invalid-request", "score"),
        (
            "PUT",
            f"/v1/statements/{uuid4()}",
            _told({"enrolment_id": str(uuid4())}),
            404,
            "not-found",
            "enrolment",
        ),
        ("POST", "/v1/awards", award, 422, "day-ahead", "valid_from"),
        ("POST", "/v1/awards", _of_nothing(award), 422, "unknown-certification", "certification_code"),
        (
            "POST",
            "/v1/certifications",
            {"certification_code": "A B"},
            422,
            "invalid-request",
            "certification_code",
        ),
    ):
        answer = await _send(school, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert field in answer.json()["detail"]
    taken = {**_terms(), "certification_code": "health-basics"}
    exists = await _send(school, "POST", "/v1/certifications", {**taken, "renewal_window_days": 5})
    assert (exists.status_code, exists.json()["code"]) == (409, "certification-exists")
    assert (await _send(school, "POST", "/v1/certifications", taken)).status_code == 422
    assert await school.rows("SELECT 1 FROM training_statements UNION ALL SELECT 1 FROM awards") == []


def _terms() -> dict:
    return {"name": "x", "kind": "skill", "tag": "x", "validity_months": 1}


def _of_nothing(award: dict) -> dict:
    return {**award, "certification_code": "none", "valid_from": TODAY.isoformat()}


async def _notice(collab: Collab) -> tuple[int, int]:
    command = NoticeExpiry()
    return await collab.transact(notice_expiring, command), await collab.transact(notice_expired, command)
