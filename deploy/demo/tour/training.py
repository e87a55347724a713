"""Training: a gap is found, a rep learns and is certified, and the certificate decides who may cover what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from deploy.demo.client import Installation, Service, wait_until
from deploy.demo.school import open_school
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch, short
from deploy.demo.tree import ROOT, territory_id

CODE = "health-privacy"
PATIENCE = 30.0


@dataclass(frozen=True)
class Pupil:
    """The rep of the scene: whom the territory's accounts ask to be certified."""

    territory_id: str
    territory: str
    rep_id: str
    stranger_id: str


@dataclass(frozen=True)
class Lesson:
    """What the pupil is enrolled in, and the statements told of it."""

    enrolment_id: str
    statements: tuple[str, ...]
    award: dict[str, Any]


def train(stage: Stage, installation: Installation) -> None:
    """Carry a rep from a gap to a certificate, and see what hangs on it."""
    assignment, collab = (
        installation.service(name, role="admin", subject=SUBJECT) for name in ("assignment", "collab")
    )
    open_school(collab)
    pupil = _find_pupil(assignment, collab)
    enrolment_id = _see_gap_and_enrolment(stage, collab, pupil)
    lesson = _learn(stage, collab, pupil, enrolment_id)
    plan_id = _require(stage, assignment, pupil)
    try:
        _see_who_may(stage, assignment, pupil, lesson)
        _take_back(stage, assignment, collab, pupil, lesson)
    finally:
        assignment.post(f"/v1/plans/{plan_id}/rollbacks")
    left = _missing_on(assignment, pupil, None)
    stage.check("rolled back, the territory requires nothing again", holds=left == [])


def _find_pupil(assignment: Service, collab: Service) -> Pupil:
    """Choose the rep of the territory with the most accounts that ask for the certificate."""
    found: list[tuple[int, str, str]] = []
    for item in collab.pages(f"/v1/territories/{territory_id(ROOT)}/skill-gaps"):
        asking = sum(n["accounts"] for n in item["asked_for"] if n["certification_code"] == CODE)
        found += [(asking, item["territory_id"], rep_id) for rep_id in item["rep_ids"]]
    _, territory, rep_id = max(found)
    stranger = next(other for _, _, other in sorted(found) if other != rep_id)
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    named = {one["territory_id"]: one["name"] for one in assignment.pages(f"/v1/plans/{live}/territories")}
    return Pupil(territory, named[territory], rep_id, stranger)


def _see_gap_and_enrolment(stage: Stage, collab: Service, pupil: Pupil) -> str:
    stage.step("What accounts ask for, against what reps hold")
    enrolment = _wait_for_enrolment(collab, pupil)
    # A tour that was cut short may have left a certificate.
    for told in collab.pages(f"/v1/enrolments/{enrolment['enrolment_id']}/statements"):
        if told["passed"] and told["voided_at"] is None:
            collab.post(f"/v1/statements/{told['statement_id']}/voidings", {"reason": "an earlier tour's"})
    need = _need(stage, collab, pupil)
    stage.check(
        f"{need['accounts']} accounts in {pupil.territory} ask for {CODE}, and nobody there holds it",
        holds=need["state"] == "gap" and need["accounts"] > 0,
    )
    answer = collab.get(f"/v1/enrolments/{enrolment['enrolment_id']}")
    shown = {name: answer.body[name] for name in ("cause", "state", "due_on")}
    courses = ", ".join(course["title"] for course in answer.body["courses"])
    stage.show(answer, {**shown, "courses": courses})
    stage.check("the industry of those accounts enrolled the rep", holds=answer.body["cause"] == "industry")
    stage.figures["accounts_asking"] = need["accounts"]
    return str(enrolment["enrolment_id"])


def _wait_for_enrolment(collab: Service, pupil: Pupil) -> dict[str, Any]:
    programme = next(p for p in collab.pages("/v1/programmes") if p["grants"] == CODE)
    found: list[dict[str, Any]] = []

    def missing() -> str | None:
        query = {"rep_id": pupil.rep_id, "programme_id": programme["programme_id"]}
        found[:] = collab.get("/v1/enrolments", **query).body["items"]
        return None if found else "no enrolment of the rep"

    wait_until(missing, what="collab", seconds=PATIENCE)
    return found[0]


def _need(stage: Stage, collab: Service, pupil: Pupil) -> dict[str, Any]:
    answer = collab.get(f"/v1/territories/{pupil.territory_id}/skill-gaps")
    asked: list[dict[str, Any]] = answer.body["items"][0]["asked_for"]
    stage.show(answer)
    stage.table(
        ["asked for", "accounts", "certified reps", "state"],
        [
            [n["certification_code"], str(n["accounts"]), str(len(n["certified_rep_ids"])), n["state"]]
            for n in asked
        ],
    )
    return next(one for one in asked if one["certification_code"] == CODE)


def _learn(stage: Stage, collab: Service, pupil: Pupil, enrolment_id: str) -> Lesson:
    stage.step("The learning system tells how the rep did")
    today = datetime.now(UTC).date().isoformat()
    told = []
    for course in ("patient-data", "clinic-buying"):
        statement = str(uuid4())
        body = {"enrolment_id": enrolment_id, "course_code": course, "score": 92, "completed_on": today}
        answer = collab.send("PUT", f"/v1/statements/{statement}", body=body)
        stage.show(answer, {name: answer.body[name] for name in ("course_code", "score", "passed")})
        told.append(statement)
    again = collab.send("PUT", f"/v1/statements/{statement}", body=body)
    stage.check("the same told again changes nothing", holds=again.body == answer.body)
    other = {**body, "score": 12}
    refused = collab.send("PUT", f"/v1/statements/{statement}", body=other, accept={HTTPStatus.CONFLICT})
    stage.show(refused, {"code": refused.body["code"], "detail": refused.body["detail"]})
    stage.check("told differently it is refused", holds=refused.status == HTTPStatus.CONFLICT)
    award_id = collab.get(f"/v1/enrolments/{enrolment_id}").body["award_id"]
    award = collab.get(f"/v1/awards/{award_id}")
    names = ("certification_code", "state", "valid_from", "valid_to", "renewable_from", "lapses_on")
    stage.show(award, {name: award.body[name] for name in names})
    met = _need(stage, collab, pupil)
    stage.check("the gap is closed", holds=met["certified_rep_ids"] == [pupil.rep_id])
    return Lesson(enrolment_id, tuple(told), award.body)


def _require(stage: Stage, assignment: Service, pupil: Pupil) -> str:
    stage.step("The territory requires the certificate: in a draft, then in force")
    live = assignment.get("/v1/plans", state="active").body["items"][0]
    draft = assignment.post(f"/v1/plans/{live['plan_id']}/clones", {"name": "Certified reps for clinics"})
    plan_id = str(draft.body["plan_id"])
    path = f"/v1/plans/{plan_id}/territories/{pupil.territory_id}/required-certifications"
    required = assignment.put(path, {"certification_codes": [CODE]}, etag=draft.etag or "")
    stage.show(required, {"requires": ", ".join(required.body["certification_codes"])})
    body = {"replacing_plan_id": live["plan_id"]}
    activation = assignment.post(f"/v1/plans/{plan_id}/activations", body, etag=required.etag)
    stage.show(activation, {name: activation.body[name] for name in ("kind", "moved")})
    return plan_id


def _see_who_may(stage: Stage, assignment: Service, pupil: Pupil, lesson: Lesson) -> None:
    stage.step("A date decides who may cover it")
    since = Stopwatch()
    wait_until(
        lambda: "the certificate" if _missing_on(assignment, pupil, None) else None,
        what="assignment",
        seconds=PATIENCE,
    )
    stage.figures["certificate_after_seconds"] = round(since.seconds, 3)
    stage.confirm("today the rep is certified: the grant came to assignment over Kafka")
    expiry = lesson.award["valid_to"]
    missing = _missing_on(assignment, pupil, expiry, stage)
    holds = [(one["certification_code"], one["reason"]) for one in missing] == [(CODE, "no_longer_held")]
    stage.check(f"on {expiry} the certificate has run out, and so has the right", holds=holds)
    body = {"territory_id": pupil.territory_id, "rep_id": pupil.stranger_id}
    refused = assignment.send("POST", "/v1/coverages", body=body, accept={HTTPStatus.CONFLICT})
    stage.show(refused, {"code": refused.body["code"], "detail": refused.body["detail"]})
    stage.check(
        "a rep without it cannot take the territory", holds=refused.body["code"] == "rep-not-certified"
    )


def _take_back(stage: Stage, assignment: Service, collab: Service, pupil: Pupil, lesson: Lesson) -> None:
    stage.step("The pass was wrong: void it, and see the right go")
    path = f"/v1/statements/{lesson.statements[0]}/voidings"
    voided = collab.post(path, {"reason": "Told of the wrong person."})
    stage.show(voided, {"voided": voided.body["voided_at"], "why": voided.body["void_reason"]})
    since = Stopwatch()
    wait_until(
        lambda: None if _missing_on(assignment, pupil, None) else "the revocation",
        what="assignment",
        seconds=PATIENCE,
    )
    stage.figures["revocation_after_seconds"] = round(since.seconds, 3)
    missing = _missing_on(assignment, pupil, None, stage)
    stage.check(
        f"rep {short(pupil.rep_id)} is listed as covering without it, {since.seconds:.2f} s later",
        holds=[one["reason"] for one in missing] == ["never_held"],
    )
    collab.post(f"/v1/statements/{lesson.statements[1]}/voidings", {"reason": "The tour is over."})


def _missing_on(
    assignment: Service, pupil: Pupil, on: str | None, stage: Stage | None = None
) -> list[dict[str, Any]]:
    answer = assignment.get("/v1/ineligible-coverages", territory_id=pupil.territory_id, on=on)
    missing: list[dict[str, Any]] = [one for item in answer.body["items"] for one in item["missing"]]
    if stage is not None:
        told = ", ".join(f"{one['certification_code']}: {one['reason']}" for one in missing) or "nobody"
        stage.show(answer, {"on": answer.body["on"], "without it": told})
    return missing
