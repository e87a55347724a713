"""Certifications: granted, renewed, revoked, noticed to expire; and what is missing where."""

import asyncio
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from tests.service.collab.conftest import NORTH, NORTH_CITY, SOUTH, Collab, aligned
from tests.service.collab.school import (
    OTHER_REP,
    REP,
    account,
    announced,
    awards,
    certify,
    covers,
    enrol,
    notice,
    ok,
    open_school,
    programme,
    send,
    told,
)


@pytest.fixture
async def school(collab: Collab) -> Collab:
    return await open_school(collab)


async def test_an_early_renewal_extends_from_the_old_expiry_and_an_overlap_is_refused(school: Collab) -> None:
    school.clock.move_to(datetime(2025, 1, 29, 12, tzinfo=UTC))
    first = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2024-02-29"}
    granted = await ok(school, "POST", "/v1/awards", first, 201)
    assert (granted["valid_to"], granted["state"]) == ("2025-02-28", "expiring")
    enrolment = await enrol(school, await programme(school))
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment, on=date(2025, 1, 29)))
    renewed = (await awards(school))[1]
    assert (renewed["valid_from"], renewed["valid_to"]) == ("2025-02-28", "2026-02-28")
    assert (renewed["renewal"], renewed["state"]) == (True, "upcoming")
    overlap = await send(school, "POST", "/v1/awards", {**first, "valid_from": "2024-12-01"})
    assert (overlap.status_code, overlap.json()["code"]) == (409, "award-overlaps")
    assert len(await awards(school)) == 2


async def test_two_grants_at_once_never_overlap(school: Collab) -> None:
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    answers = await asyncio.gather(*(send(school, "POST", "/v1/awards", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await announced(school) == ["granted"]


async def test_expiry_is_noticed_once_and_enrols_for_renewal(school: Collab) -> None:
    course = await programme(school, enrols={"on_expiry": True})
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    award = await ok(school, "POST", "/v1/awards", body, 201)
    assert await notice(school) == (0, 0)
    school.clock.move_to(datetime(2027, 9, 2, tzinfo=UTC))
    noticed = await asyncio.gather(*(notice(school) for _ in range(3)))
    assert sorted(noticed) == [(0, 0), (0, 0), (1, 0)]
    (enrolment,) = (await ok(school, "GET", f"/v1/enrolments?programme_id={course['programme_id']}"))["items"]
    assert (enrolment["cause"], enrolment["renews_award_id"]) == ("expiry", award["award_id"])
    assert enrolment["due_on"] == "2027-11-01"
    school.clock.move_to(datetime(2027, 10, 31, 23, 59, tzinfo=UTC))
    assert await notice(school) == (0, 0)
    school.clock.move_to(datetime(2027, 11, 1, tzinfo=UTC))
    assert await notice(school) == (0, 1)
    assert await notice(school) == (0, 0)
    assert await announced(school) == ["granted", "expiring", "expired"]
    assert (await awards(school))[0]["state"] == "in_grace"


async def test_what_was_renewed_or_revoked_is_not_announced_as_expired(school: Collab) -> None:
    grant = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", grant, 201)
    other = await ok(school, "POST", "/v1/awards", {**grant, "rep_id": str(OTHER_REP)}, 201)
    revoked = await ok(
        school, "POST", f"/v1/awards/{other['award_id']}/revocations", {"reason": "Left the team."}
    )
    assert (revoked["valid_to"], revoked["state"]) == ("2026-11-23", "revoked")
    school.clock.move_to(datetime(2027, 10, 1, tzinfo=UTC))
    enrolment = await enrol(school, await programme(school))
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment, on=date(2027, 10, 1)))
    school.clock.move_to(datetime(2027, 12, 1, tzinfo=UTC))
    await notice(school)
    assert await announced(school) == ["granted", "granted", "revoked", "granted"]


async def test_what_a_later_award_follows_after_days_without_is_neither_announced_nor_to_be_renewed(
    school: Collab,
) -> None:
    """Brought along, or renewed in the grace: whoever is certified needs no course that is overdue at once."""
    await programme(school, enrols={"on_expiry": True})
    await certify(school, "food-basics", validity_months=3, renewal_window_days=14, grace_days=30)
    for day in ("2026-05-12", "2026-10-29"):
        body = {"rep_id": str(REP), "certification_code": "food-basics", "valid_from": day}
        await ok(school, "POST", "/v1/awards", body, 201)
    await programme(school, grants="food-basics", enrols={"on_expiry": True})
    assert await notice(school) == (1, 1)
    assert (await ok(school, "GET", "/v1/enrolments"))["items"] == []
    assert await announced(school) == ["granted", "granted"]
    # The later one is announced in its own time; one that was voided on its first day follows nothing.
    late = {"rep_id": str(OTHER_REP), "certification_code": "food-basics", "valid_from": "2026-08-01"}
    await ok(school, "POST", "/v1/awards", late, 201)
    other = await enrol(school, await programme(school, grants="food-basics"), OTHER_REP)
    statement = f"/v1/statements/{uuid4()}"
    await ok(school, "PUT", statement, told(other))
    await ok(school, "POST", f"{statement}/voidings", {"reason": "Wrong person."})
    assert await notice(school) == (1, 1)
    (renewal,) = (await ok(school, "GET", "/v1/enrolments?state=open"))["items"][1:]
    assert (renewal["rep_id"], renewal["cause"]) == (str(OTHER_REP), "expiry")
    assert (await announced(school))[2:] == ["granted", "granted", "revoked", "expired"]
    school.clock.move_to(datetime(2027, 1, 20, tzinfo=UTC))
    assert await notice(school) == (1, 0)
    assert (await announced(school))[-1] == "expiring"


async def test_skill_gaps_set_what_accounts_ask_for_against_what_reps_hold(school: Collab) -> None:
    clinic, bank = uuid4(), uuid4()
    await school.feed(covers(OTHER_REP, NORTH_CITY))
    await school.feed(account(clinic, "health"), account(bank, "Finance"))
    await school.feed(
        aligned(clinic, None, NORTH, uuid4()), aligned(bank, None, NORTH_CITY, uuid4()), version=2
    )
    await certify(school, "finance-basics")
    await ok(
        school, "PUT", "/v1/skill-requirements/industries/health", {"certification_codes": ["health-basics"]}
    )
    await ok(
        school,
        "PUT",
        "/v1/skill-requirements/industries/finance",
        {"certification_codes": ["finance-basics"]},
    )
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", body, 201)
    page = await ok(school, "GET", f"/v1/territories/{NORTH}/skill-gaps")
    shown = {item["territory_id"]: item["asked_for"] for item in page["items"]}
    assert [(n["certification_code"], n["accounts"], n["state"]) for n in shown[str(NORTH)]] == [
        ("health-basics", 1, "met")
    ]
    assert [(n["certification_code"], n["state"]) for n in shown[str(NORTH_CITY)]] == [
        ("finance-basics", "gap")
    ]
    later = await ok(school, "GET", f"/v1/territories/{NORTH}/skill-gaps?on=2027-11-01&limit=1")
    assert later["items"][0]["asked_for"][0]["state"] == "gap"
    assert later["next_cursor"] is not None
    outside = await send(
        school, "GET", f"/v1/territories/{NORTH}/skill-gaps", roles=("viewer",), territories=[SOUTH]
    )
    assert outside.status_code == 404


async def test_a_need_asks_for_a_skill_until_it_is_met(school: Collab) -> None:
    """An account counts once, whether its industry, its needs or both ask for the certification."""
    clinic, shop = uuid4(), uuid4()
    await school.feed(account(clinic, "health"), account(shop, "retail"))
    await school.feed(aligned(clinic, None, NORTH, uuid4()), aligned(shop, None, NORTH, uuid4()), version=2)
    asks = {"certification_codes": ["health-basics"]}
    await ok(school, "PUT", "/v1/skill-requirements/industries/health", asks)
    await ok(school, "PUT", "/v1/skill-requirements/need-kinds/compliance", asks)
    needs = []
    for one in (clinic, shop):
        body = {"kind": "compliance", "text": "Audited in May.", "source": "customer"}
        needs.append(await ok(school, "POST", f"/v1/accounts/{one}/needs", body, 201))

    async def asking() -> list[int]:
        page = await ok(school, "GET", f"/v1/territories/{NORTH}/skill-gaps")
        return [asked["accounts"] for item in page["items"] for asked in item["asked_for"]]

    assert await asking() == [2]
    path = f"/v1/accounts/{shop}/needs/{needs[1]['need_id']}"
    headers = {**school.as_("admin"), "if-match": '"1"'}
    dropped = {"status": "dropped", "drop_reason": "withdrawn"}
    assert (await school.http.patch(path, json=dropped, headers=headers)).status_code == 200
    assert await asking() == [1]
    listed = await ok(school, "GET", "/v1/skill-requirements")
    assert [(one["industry"], one["need_kind"]) for one in listed["items"]] == [
        ("health", None),
        (None, "compliance"),
    ]
    assert await ok(school, "GET", "/v1/skill-requirements/need-kinds/compliance") == listed["items"][1]
    unknown = await send(school, "PUT", "/v1/skill-requirements/need-kinds/no-such-kind", asks)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-need-kind")
    assert unknown.json()["detail"].startswith("need_kind:")


async def test_requirements_change_only_from_the_version_that_was_read(school: Collab) -> None:
    path = "/v1/skill-requirements/industries/health"
    await ok(school, "PUT", path, {"certification_codes": ["health-basics"]})
    blind = await send(school, "PUT", path, {"certification_codes": []})
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    headers = {**school.as_("admin"), "if-match": '"1"'}
    assert (await school.http.put(path, json={"certification_codes": []}, headers=headers)).status_code == 200
    assert (await school.http.put(path, json={"certification_codes": []}, headers=headers)).status_code == 412
    unknown = await send(
        school, "PUT", "/v1/skill-requirements/industries/food", {"certification_codes": ["nothing"]}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-certification")
    assert (
        await send(school, "PUT", path, {"certification_codes": []}, roles=("manager",))
    ).status_code == 403


async def test_cohorts_group_reps_by_the_month_of_their_first_certificate(school: Collab) -> None:
    for rep, day in ((REP, "2025-10-05"), (OTHER_REP, "2026-10-20")):
        body = {"rep_id": str(rep), "certification_code": "health-basics", "valid_from": day}
        await ok(school, "POST", "/v1/awards", body, 201)
    again = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", again, 201)
    path = "/v1/certifications/health-basics/cohorts"
    cohorts = (await ok(school, "GET", path))["items"]
    assert [(c["month"], c["rep_ids"], c["certified_now"]) for c in cohorts] == [
        ("2025-10-01", [str(REP)], 1),
        ("2026-10-01", [str(OTHER_REP)], 1),
    ]
    assert len((await ok(school, "GET", f"{path}?since=2026-01-01&until=2027-01-01"))["items"]) == 1


async def test_a_scope_sees_and_certifies_its_own_reps(school: Collab) -> None:
    await school.feed(covers(OTHER_REP, SOUTH))
    north = {"roles": ("manager",), "territories": [NORTH]}
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    mine = await send(school, "POST", "/v1/awards", body, **north)
    assert mine.status_code == 201
    theirs = await send(school, "POST", "/v1/awards", {**body, "rep_id": str(OTHER_REP)}, **north)
    assert theirs.status_code == 404
    award = (await ok(school, "POST", "/v1/awards", {**body, "rep_id": str(OTHER_REP)}, 201))["award_id"]
    assert (await send(school, "GET", f"/v1/awards/{award}", **north)).status_code == 404
    refused = await send(school, "POST", f"/v1/awards/{award}/revocations", {"reason": "No."}, **north)
    assert refused.status_code == 404
    listed = (await send(school, "GET", "/v1/awards", **north)).json()["items"]
    assert [item["rep_id"] for item in listed] == [str(REP)]
    own = {"roles": ("viewer",), "territories": [NORTH], "subject": str(OTHER_REP)}
    assert (await send(school, "GET", f"/v1/awards/{award}", **own)).status_code == 200
