"""A certificate from collab to assignment: granted, ended, revoked, and who may cover what by it."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import uuid4

import pytest

from deploy.demo.client import Service, wait_until
from deploy.demo.tree import territory_id
from shared.contracts.identity import rep_id_of
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

TERRITORY = "Oakland, CA"
TOPIC = "collab.training.events.v1"
REPS = "assignment.rep.events.v1"
COURSE = {"name": "First days", "courses": [{"code": "tour", "title": "A tour of the house"}]}


def test_a_certificate_that_ends_in_collab_ends_eligibility_in_assignment(seeded: ServiceProcesses):
    assignment, collab = (seeded.api(name, role="admin") for name in ("assignment", "collab"))
    code, territory = f"flow-{uuid4().hex[:8]}", str(territory_id(TERRITORY))
    rep = assignment.get("/v1/coverages", territory_id=territory, running=True).body["items"][0]["rep_id"]
    terms = {"name": code, "kind": "skill", "tag": "flow", "validity_months": 12, "renewal_window_days": 30}
    collab.post("/v1/certifications", {**terms, "certification_code": code})
    today = datetime.now(UTC).date()

    # Half a year old and good for another half; and one that ended a month ago.
    began = today - timedelta(days=180)
    award = _grant(collab, rep, code, began)
    over = _grant(collab, _hire(seeded), code, today - timedelta(days=400))
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    plan = _require(assignment, live, territory, code)
    try:
        _until(lambda: _reason(assignment, territory) is None, "the grant to reach assignment")
        _until(lambda: _cohort(seeded, code, began) == 1, "the grant to reach metrics")
        _until_announced(seeded, over["award_id"], "collab.certification.expired.v1")
        day_before = (datetime.fromisoformat(award["valid_to"]) - timedelta(days=1)).date().isoformat()
        assert _reason(assignment, territory, on=day_before) is None
        assert _reason(assignment, territory, on=award["valid_to"]) == "no_longer_held"

        collab.post(f"/v1/awards/{award['award_id']}/revocations", {"reason": "Left the trade."})
        _until(lambda: _reason(assignment, territory) == "no_longer_held", "the revocation to arrive")
        _until_announced(seeded, award["award_id"], "collab.certification.revoked.v1")
    finally:
        assignment.post(f"/v1/plans/{plan}/rollbacks")


def test_the_calendar_reaches_a_worker_that_was_away(seeded: ServiceProcesses):
    """An award that is over when the worker comes back is announced as expired, once."""
    collab = seeded.api("collab", role="admin")
    code = f"flow-{uuid4().hex[:8]}"
    terms = {"name": code, "kind": "skill", "tag": "flow", "validity_months": 1, "renewal_window_days": 7}
    collab.post("/v1/certifications", {**terms, "certification_code": code})
    rep, other = _hire(seeded), _hire(seeded)
    seeded.stop("collab.worker")
    award = _grant(collab, rep, code, datetime.now(UTC).date() - timedelta(days=60))
    assert award["state"] == "expired"
    seeded.start("collab.worker")
    _until_announced(seeded, award["award_id"], "collab.certification.expired.v1")
    seeded.kill("collab.worker")
    seeded.start("collab.worker")
    sentinel = _grant(collab, other, code, datetime.now(UTC).date() - timedelta(days=60))
    _until_announced(seeded, sentinel["award_id"], "collab.certification.expired.v1")
    assert _kinds(seeded, award["award_id"]) == [
        "collab.certification.granted.v1",
        "collab.certification.expired.v1",
    ]


def test_a_rep_who_covers_nothing_yet_can_be_certified_and_one_who_is_not_there_cannot(
    seeded: ServiceProcesses,
):
    collab = seeded.api("collab", role="admin")
    code = f"flow-{uuid4().hex[:8]}"
    terms = {"name": code, "kind": "skill", "tag": "flow", "validity_months": 12, "renewal_window_days": 30}
    collab.post("/v1/certifications", {**terms, "certification_code": code})
    rep, today = _hire(seeded), datetime.now(UTC).date()
    assert _grant(collab, rep, code, today)["state"] == "valid"
    body = {"rep_id": str(uuid4()), "certification_code": code, "valid_from": today.isoformat()}
    refused = collab.send("POST", "/v1/awards", body=body, accept={HTTPStatus.NOT_FOUND})
    assert (refused.status, refused.body["detail"][:8]) == (HTTPStatus.NOT_FOUND, "rep_id: ")
    heard = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[REPS]
    assert [one.data for one in heard if one.data["rep_id"] == rep] == [
        {"rep_id": rep, "languages": ["en"], "industries": [], "need_kinds": []}
    ]


def _hire(seeded: ServiceProcesses) -> str:
    """Register a rep who covers nothing; return the id once collab has heard of them."""
    external_id = f"flow-{uuid4().hex[:8]}"
    row = {"external_id": external_id, "name": "New Hand", "languages": ["en"]}
    assert seeded.api("assignment", role="admin").upload("/v1/reps/imports", iter([row])).body["registered"]
    rep = str(rep_id_of(external_id))
    collab = seeded.api("collab", role="admin")
    programme = next(collab.pages("/v1/programmes"), None) or collab.post("/v1/programmes", COURSE).body
    body = {"programme_id": programme["programme_id"], "rep_id": rep}

    def known() -> bool:
        answer = collab.send("POST", "/v1/enrolments", body=body, accept={HTTPStatus.NOT_FOUND})
        return answer.status == HTTPStatus.CREATED

    _until(known, "collab to hear of the rep")
    return rep


def _cohort(seeded: ServiceProcesses, code: str, began) -> int:
    """Return how many reps metrics compares as certified in that month."""
    metrics = seeded.api("metrics", role="admin")
    asked = {"certification_code": code, "metric_id": "revenue", "months": 1}
    since, until = began.replace(day=1), (began.replace(day=1) + timedelta(days=32)).replace(day=1)
    found = metrics.get("/v1/certification-effects", since=since, until=until, **asked).body["items"]
    return sum(item["certified"]["reps"] for item in found)


def _grant(collab: Service, rep: str, code: str, valid_from) -> dict:
    body = {"rep_id": rep, "certification_code": code, "valid_from": valid_from.isoformat()}
    return collab.post("/v1/awards", body).body


def _require(assignment: Service, live: str, territory: str, code: str) -> str:
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "certified"})
    plan = draft.body["plan_id"]
    path = f"/v1/plans/{plan}/territories/{territory}/required-certifications"
    tag = assignment.put(path, {"certification_codes": [code]}, etag=draft.etag).etag
    assignment.post(f"/v1/plans/{plan}/activations", etag=tag)
    return plan


def _reason(assignment: Service, territory: str, on: str | None = None) -> str | None:
    items = assignment.get("/v1/ineligible-coverages", territory_id=territory, on=on).body["items"]
    return items[0]["missing"][0]["reason"] if items else None


def _kinds(seeded: ServiceProcesses, award_id: str) -> list[str]:
    heard = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[TOPIC]
    return [one.event.get_type() for one in heard if one.data["award_id"] == award_id]


def _until_announced(seeded: ServiceProcesses, award_id: str, kind: str) -> None:
    _until(lambda: kind in _kinds(seeded, award_id), kind)


def _until(holds, what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)
