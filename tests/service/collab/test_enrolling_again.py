"""Enrolled again in the same programme: once the certificate is lost, and one open enrolment at a time."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from services.collab.training.expiry.commands import EnrolByRule, enrol_whom_rules_name
from tests.service.collab.conftest import Collab
from tests.service.collab.school import (
    REP,
    TODAY,
    awards,
    certify,
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


async def test_who_lost_the_certificate_is_enrolled_again_and_a_pass_earns_anew(school: Collab) -> None:
    course = await programme(school)
    by_hand = {"programme_id": course["programme_id"], "rep_id": str(REP)}
    first = await enrol(school, course)
    opened = await send(school, "POST", "/v1/enrolments", by_hand)
    assert (opened.status_code, opened.json()["code"]) == (409, "already-enrolled")
    assert first["enrolment_id"] in opened.json()["detail"]
    passed = await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(first))
    assert passed["award_withheld"] is None
    held = await send(school, "POST", "/v1/enrolments", by_hand)
    assert (held.status_code, held.json()["code"]) == (409, "already-enrolled")
    assert "renewal window" in held.json()["detail"]
    school.clock.advance(timedelta(days=9))
    today = TODAY + timedelta(days=9)
    (award,) = await awards(school)
    await ok(school, "POST", f"/v1/awards/{award['award_id']}/revocations", {"reason": "Must retrain."})
    path = f"/v1/statements/{uuid4()}"
    old = await ok(school, "PUT", path, told(first, on=today))
    assert (old["passed"], old["award_withheld"]) == (True, "completed-before")
    assert await ok(school, "PUT", path, told(first, on=today)) == old
    answers = await asyncio.gather(*(send(school, "POST", "/v1/enrolments", by_hand) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (second,) = (answer.json() for answer in answers if answer.status_code == 201)
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(second, on=today))
    assert [award["state"] for award in await awards(school)] == ["revoked", "valid"]
    # In its renewal window once more, and nothing is lost by being early.
    school.clock.advance(timedelta(days=365 - 59))
    await enrol(school, course)


async def test_rules_enrol_again_who_holds_the_certificate_no_more(school: Collab) -> None:
    await certify(school, "food-basics", validity_months=1, renewal_window_days=7, grace_days=0)
    course = await programme(school, grants="food-basics", enrols={"territory_kinds": ["geographic"]})
    once = await programme(school, grants=None, enrols={"territory_kinds": ["geographic"]})

    async def enrolled(programme: dict = course) -> list[dict]:
        await school.transact(enrol_whom_rules_name, EnrolByRule())
        asked = f"/v1/enrolments?rep_id={REP}&programme_id={programme['programme_id']}"
        return (await ok(school, "GET", asked))["items"]

    (first,), (other,) = await enrolled(), await enrolled(once)
    for enrolment in (first, other):
        await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment))
    school.clock.advance(timedelta(days=29))
    assert len(await enrolled()) == 1
    school.clock.advance(timedelta(days=1))
    assert [(one["state"], one["cause"]) for one in await enrolled()] == [
        ("completed", "territory_kind"),
        ("open", "territory_kind"),
    ]
    assert len(await enrolled()) == 2
    assert len(await enrolled(once)) == 1
    again = await send(
        school, "POST", "/v1/enrolments", {"programme_id": once["programme_id"], "rep_id": str(REP)}
    )
    assert (again.status_code, again.json()["code"]) == (409, "already-enrolled")


async def test_who_is_to_renew_is_not_enrolled_beside_that(school: Collab) -> None:
    """The certificate ran out while its renewal is open: that one is the way back."""
    enrols = {"territory_kinds": ["geographic"], "on_expiry": True}
    course = await programme(school, enrols=enrols)
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", body, 201)
    school.clock.advance(timedelta(days=400))
    await notice(school)
    await school.transact(enrol_whom_rules_name, EnrolByRule())
    (renewal,) = (await ok(school, "GET", f"/v1/enrolments?rep_id={REP}"))["items"]
    assert renewal["cause"] == "expiry"
    again = await send(
        school, "POST", "/v1/enrolments", {"programme_id": course["programme_id"], "rep_id": str(REP)}
    )
    assert (again.status_code, renewal["enrolment_id"] in again.json()["detail"]) == (409, True)


async def test_a_voided_pass_does_not_open_what_another_enrolment_took_the_place_of(school: Collab) -> None:
    course = await programme(school)
    first = await enrol(school, course)
    statement = f"/v1/statements/{uuid4()}"
    await ok(school, "PUT", statement, told(first))
    (award,) = await awards(school)
    await ok(school, "POST", f"/v1/awards/{award['award_id']}/revocations", {"reason": "Must retrain."})
    by_hand = {"programme_id": course["programme_id"], "rep_id": str(REP)}
    # Voided and enrolled again at the same moment: never two that are open.
    voided, enrolled = await asyncio.gather(
        send(school, "POST", f"{statement}/voidings", {"reason": "Wrong person."}),
        send(school, "POST", "/v1/enrolments", by_hand),
    )
    assert voided.status_code == 200, voided.text
    listed = (await ok(school, "GET", "/v1/enrolments"))["items"]
    if enrolled.status_code == 201:
        assert [one["state"] for one in listed] == ["superseded", "open"]
    else:
        assert [one["state"] for one in listed] == ["open"]


async def test_a_voided_pass_supersedes_once_the_rep_was_enrolled_again(school: Collab) -> None:
    course = await programme(school)
    first = await enrol(school, course)
    statement = f"/v1/statements/{uuid4()}"
    await ok(school, "PUT", statement, told(first))
    (award,) = await awards(school)
    await ok(school, "POST", f"/v1/awards/{award['award_id']}/revocations", {"reason": "Must retrain."})
    second = await enrol(school, course)
    await ok(school, "POST", f"{statement}/voidings", {"reason": "Wrong person."})
    listed = (await ok(school, "GET", "/v1/enrolments"))["items"]
    assert [(one["enrolment_id"], one["state"]) for one in listed] == [
        (first["enrolment_id"], "superseded"),
        (second["enrolment_id"], "open"),
    ]
    # What is told of it all the same counts as it always did.
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(first))
    assert (await ok(school, "GET", f"/v1/enrolments/{first['enrolment_id']}"))["state"] == "completed"
