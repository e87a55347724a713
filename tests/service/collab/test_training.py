"""Training: enrolment by rule, statements told twice, what they complete and grant."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.collab.training.expiry.commands import EnrolByRule, enrol_whom_rules_name
from shared.contracts.assignment import AccountChanged, CoverageEnded, RepChanged
from tests.service.collab.conftest import NORTH, SOUTH, Collab, aligned
from tests.service.collab.school import (
    OTHER_REP,
    REP,
    TODAY,
    account,
    announced,
    awards,
    covers,
    enrol,
    of_nothing,
    ok,
    open_school,
    programme,
    registered,
    send,
    terms,
    told,
)


@pytest.fixture
async def school(collab: Collab) -> Collab:
    return await open_school(collab)


async def test_a_statement_told_again_is_the_same_and_told_differently_is_refused(school: Collab) -> None:
    enrolment = await enrol(school, await programme(school))
    path = f"/v1/statements/{uuid4()}"
    first = await ok(school, "PUT", path, told(enrolment))
    assert first["passed"] is True
    assert await ok(school, "PUT", path, told(enrolment)) == first
    other = await send(school, "PUT", path, told(enrolment, score=91))
    assert (other.status_code, other.json()["code"]) == (409, "statement-conflict")
    assert "score" in other.json()["detail"]
    assert await ok(school, "GET", path) == first
    (award,) = await awards(school)
    assert (award["valid_from"], award["valid_to"]) == ("2026-11-23", "2027-11-23")
    assert await announced(school) == ["granted"]
    listed = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}/statements")
    assert listed["items"] == [first]


async def test_a_score_below_mastery_completes_nothing(school: Collab) -> None:
    enrolment = await enrol(school, await programme(school))
    failed = await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment, score=79.99))
    assert failed["passed"] is False
    found = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["courses"][0]["passed_on"]) == ("open", None)
    assert await awards(school) == []


async def test_voiding_the_pass_takes_completion_and_award_back(school: Collab) -> None:
    enrolment = await enrol(school, await programme(school))
    path = f"/v1/statements/{uuid4()}"
    await ok(school, "PUT", path, told(enrolment))
    voided = await ok(school, "POST", f"{path}/voidings", {"reason": "wrong person"})
    assert (voided["void_reason"], voided["voided_by"]) == ("wrong person", "tester")
    found = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["completed_on"], found["award_id"]) == ("open", None, None)
    (award,) = await awards(school)
    assert (award["state"], award["valid_to"]) == ("revoked", award["valid_from"])
    assert await announced(school) == ["granted", "revoked"]
    again = await send(school, "POST", f"{path}/voidings", {"reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "statement-voided")
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment))
    assert [award["state"] for award in await awards(school)] == ["revoked", "valid"]


async def test_voiding_the_pass_of_a_revoked_award_leaves_it_no_day(school: Collab) -> None:
    """Revoked first, which is the natural order: the days until then must not count either."""
    enrolment = await enrol(school, await programme(school))
    statement = f"/v1/statements/{uuid4()}"
    await ok(school, "PUT", statement, told(enrolment))
    (award,) = await awards(school)
    school.clock.advance(timedelta(days=5))
    await ok(school, "POST", f"/v1/awards/{award['award_id']}/revocations", {"reason": "Somebody else's."})
    held = f"/v1/awards?valid_on={TODAY + timedelta(days=3)}"
    assert len((await ok(school, "GET", held))["items"]) == 1
    await ok(school, "POST", f"{statement}/voidings", {"reason": "Wrong person."})
    (award,) = await awards(school)
    assert (award["valid_from"], award["valid_to"], award["state"]) == ("2026-11-23", "2026-11-23", "revoked")
    assert (await ok(school, "GET", held))["items"] == []
    told_of = [body for kind, body in await school.outbox() if kind == "collab.certification.revoked.v1"]
    assert [body["revoked_from"] for body in told_of] == ["2026-11-28", "2026-11-23"]
    again = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-25"}
    await ok(school, "POST", "/v1/awards", again, 201)


async def test_voiding_a_pass_gives_nothing_back_that_was_revoked(school: Collab) -> None:
    enrolment = await enrol(school, await programme(school))
    first, second = (f"/v1/statements/{uuid4()}" for _ in range(2))
    await ok(school, "PUT", first, told(enrolment))
    school.clock.advance(timedelta(days=2))
    await ok(school, "PUT", second, told(enrolment, on=TODAY + timedelta(days=2)))
    (award,) = await awards(school)
    school.clock.advance(timedelta(days=3))
    await ok(school, "POST", f"/v1/awards/{award['award_id']}/revocations", {"reason": "Left the trade."})
    await ok(school, "POST", f"{first}/voidings", {"reason": "Wrong person."})
    found = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["completed_on"], found["award_withheld"]) == ("2026-11-25", "revoked-since")
    assert [award["state"] for award in await awards(school)] == ["revoked"]


async def test_a_pass_told_late_counts_and_says_why_it_grants_nothing(school: Collab) -> None:
    """Its period would reach into one that is held: a fact all the same, and the enrolment is over."""
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-10-29"}
    await ok(school, "POST", "/v1/awards", body, 201)
    enrolment = await enrol(school, await programme(school))
    path = f"/v1/statements/{uuid4()}"
    late = told(enrolment, on=TODAY.replace(month=8, day=20))
    assert (await ok(school, "PUT", path, late))["passed"] is True
    found = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["completed_on"]) == ("completed", "2026-08-20")
    assert (found["award_id"], found["award_withheld"]) == (None, "followed-by-another-award")
    assert len(await awards(school)) == 1


async def test_a_waiver_satisfies_with_who_and_why(school: Collab) -> None:
    courses = [{"code": code, "title": code} for code in ("privacy", "products")]
    enrolment = await enrol(school, await programme(school, courses=courses))
    path = f"/v1/enrolments/{enrolment['enrolment_id']}"
    await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment, score=0))
    assert await awards(school) == []
    body = {"course_code": "products", "reason": "Wrote the course."}
    waived = await ok(school, "POST", f"{path}/waivers", body, 201)
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
    assert waived["award_id"] == (await awards(school))[0]["award_id"]
    entries = await ok(school, "GET", "/v1/audit-entries?limit=500")
    assert any(entry["route"].endswith("/waivers") for entry in entries["items"])
    again = await send(school, "POST", f"{path}/waivers", body)
    assert (again.status_code, again.json()["code"]) == (409, "course-satisfied")


async def test_a_pass_before_the_window_completes_and_says_why_it_grants_nothing(school: Collab) -> None:
    body = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", body, 201)
    enrolment = await enrol(school, await programme(school))
    passed = await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment))
    assert passed["award_withheld"] == "renewal-window-not-open"
    found = await ok(school, "GET", f"/v1/enrolments/{enrolment['enrolment_id']}")
    assert (found["state"], found["award_id"]) == ("completed", None)
    assert found["award_withheld"] == "renewal-window-not-open"


async def test_coverage_enrols_by_the_kind_of_territory_once(school: Collab) -> None:
    course = await programme(school, enrols={"territory_kinds": ["geographic"]})
    overlay = await programme(school, enrols={"territory_kinds": ["overlay"]})
    for _ in range(2):
        await school.feed(covers(OTHER_REP, SOUTH))
        await school.transact(enrol_whom_rules_name, EnrolByRule())
    (enrolment,) = (await ok(school, "GET", f"/v1/enrolments?rep_id={OTHER_REP}"))["items"]
    assert (enrolment["cause"], enrolment["territory_id"]) == ("territory_kind", str(SOUTH))
    assert enrolment["due_on"] == "2026-12-23"
    assert (await ok(school, "GET", f"/v1/enrolments?programme_id={overlay['programme_id']}"))["items"] == []
    by_hand = {"programme_id": course["programme_id"], "rep_id": str(OTHER_REP)}
    again = await send(school, "POST", "/v1/enrolments", by_hand)
    assert (again.status_code, again.json()["code"]) == (409, "already-enrolled")


async def test_an_industry_that_moves_in_enrols_who_covers_it_unless_certified(school: Collab) -> None:
    course = await programme(school, enrols={"industries": ["Health"]})
    await school.feed(covers(OTHER_REP, SOUTH))
    body = {"rep_id": str(OTHER_REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    await ok(school, "POST", "/v1/awards", body, 201)
    clinic, mill = uuid4(), uuid4()
    await school.feed(account(clinic, "retail"), account(mill, "food"))
    await school.feed(aligned(clinic, None, NORTH, uuid4()), aligned(mill, None, SOUTH, uuid4()), version=2)
    assert await school.transact(enrol_whom_rules_name, EnrolByRule()) == 0
    await school.feed(
        account(clinic, "HEALTH", AccountChanged), account(mill, "HEALTH", AccountChanged), version=3
    )
    assert await school.transact(enrol_whom_rules_name, EnrolByRule()) == 1
    (enrolment,) = (await ok(school, "GET", f"/v1/enrolments?programme_id={course['programme_id']}"))["items"]
    assert (enrolment["rep_id"], enrolment["cause"]) == (str(REP), "industry")


async def test_who_is_enrolled_goes_on_under_their_version(school: Collab) -> None:
    course = await programme(school)
    enrolment = await enrol(school, course)
    path = f"/v1/programmes/{course['programme_id']}"
    stricter = {"name": "Longer", "courses": [{"code": "new", "title": "New"}]}
    refused = await send(school, "PUT", path, stricter)
    assert refused.status_code == 428
    headers = {**school.as_("admin"), "if-match": '"1"'}
    changed = await school.http.put(path, json=stricter, headers=headers)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await school.http.put(path, json=stricter, headers=headers)).status_code == 412
    assert [row["version"] for row in (await ok(school, "GET", f"{path}/versions"))["items"]] == [1, 2]
    unknown = await send(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment, course="new"))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-course")
    assert (await ok(school, "PUT", f"/v1/statements/{uuid4()}", told(enrolment)))["passed"] is True


async def test_only_reps_that_assignment_told_of_are_certified_and_enrolled(school: Collab) -> None:
    course = await programme(school)
    rep = uuid4()
    award = {"rep_id": str(rep), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    enrolment = {"programme_id": course["programme_id"], "rep_id": str(rep)}
    for path, body in (("/v1/awards", award), ("/v1/enrolments", enrolment)):
        refused = await send(school, "POST", path, body)
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
        assert refused.json()["detail"].startswith("rep_id: ")
    assert await school.rows("SELECT 1 FROM awards UNION ALL SELECT 1 FROM enrolments") == []
    # Once told of, by whichever event, it does not matter that they cover nothing.
    await school.feed(registered(rep, RepChanged), registered(uuid4(), RepChanged))
    await school.feed(registered(rep))
    await ok(school, "POST", "/v1/awards", award, 201)
    await ok(school, "POST", "/v1/enrolments", enrolment, 201)
    # Coverage may be told of before the rep is.
    covering = uuid4()
    await school.feed(covers(covering, SOUTH))
    await ok(school, "POST", "/v1/awards", {**award, "rep_id": str(covering)}, 201)


async def test_a_coverage_whose_end_is_known_counts_while_it_lasts(school: Collab) -> None:
    """A holdover, a leave, the end of a quarter: until then the manager goes on training and certifying."""
    course = await programme(school)
    coverage = covers(OTHER_REP, SOUTH)
    await school.feed(coverage)
    end = school.clock.now() + timedelta(days=30)
    named = coverage.model_dump(include={"coverage_id", "territory_id", "rep_id"})
    await school.feed(CoverageEnded(**named, valid_to=end), version=2)
    manager = {"roles": ["manager"], "territories": [SOUTH]}
    award = {"rep_id": str(OTHER_REP), "certification_code": "health-basics", "valid_from": "2026-11-01"}
    enrolment = {"programme_id": course["programme_id"], "rep_id": str(OTHER_REP)}
    made = []
    for path, body in (("/v1/awards", award), ("/v1/enrolments", enrolment)):
        answer = await send(school, "POST", path, body, **manager)
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    awarded, enrolled = f"/v1/awards/{made[0]['award_id']}", f"/v1/enrolments/{made[1]['enrolment_id']}"
    statement = f"/v1/statements/{uuid4()}"
    told_of = (
        ("PUT", statement, told(made[1], score=0)),
        ("GET", statement, None),
        ("GET", awarded, None),
        ("GET", enrolled, None),
        ("GET", f"{enrolled}/statements", None),
        ("POST", f"{awarded}/revocations", {"reason": "To show."}),
    )
    for method, path, body in told_of:
        answer = await send(school, method, path, body, **manager)
        assert answer.status_code == 200, answer.text
    for path, found in (("/v1/awards", 1), ("/v1/enrolments", 1)):
        assert len((await send(school, "GET", path, **manager)).json()["items"]) == found
    school.clock.move_to(end)
    for method, path, body in (
        *told_of,
        ("POST", "/v1/awards", award),
        ("POST", "/v1/enrolments", enrolment),
    ):
        assert (await send(school, method, path, body, **manager)).status_code == 404
    assert (await send(school, "GET", "/v1/awards", **manager)).json()["items"] == []


async def test_bad_input_names_the_field_and_writes_nothing(school: Collab) -> None:
    enrolment = await enrol(school, await programme(school))
    tomorrow = TODAY + timedelta(days=1)
    award = {"rep_id": str(REP), "certification_code": "health-basics", "valid_from": tomorrow.isoformat()}
    for method, path, body, status, code, field in (
        ("PUT", f"/v1/statements/{uuid4()}", told(enrolment, on=tomorrow), 422, "day-ahead", "completed_on"),
        ("PUT", f"/v1/statements/{uuid4()}", told(enrolment, score=101), 422, "invalid-request", "score"),
        (
            "PUT",
            f"/v1/statements/{uuid4()}",
            told({"enrolment_id": str(uuid4())}),
            404,
            "not-found",
            "enrolment",
        ),
        ("POST", "/v1/awards", award, 422, "day-ahead", "valid_from"),
        ("POST", "/v1/awards", of_nothing(award), 422, "unknown-certification", "certification_code"),
        (
            "POST",
            "/v1/certifications",
            {**terms(), "certification_code": "A B"},
            422,
            "invalid-request",
            "certification_code",
        ),
    ):
        answer = await send(school, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert field in answer.json()["detail"]
    taken = {**terms(), "certification_code": "health-basics"}
    exists = await send(school, "POST", "/v1/certifications", {**taken, "renewal_window_days": 5})
    assert (exists.status_code, exists.json()["code"]) == (409, "certification-exists")
    assert (await send(school, "POST", "/v1/certifications", taken)).status_code == 422
    assert await school.rows("SELECT 1 FROM training_statements UNION ALL SELECT 1 FROM awards") == []
