"""Customers: what one needs, prefers and allows decides who looks after them and how they are contacted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from deploy.demo.client import Answer, Installation, Service, wait_until
from deploy.demo.customers import CLOSED_AT, HOME_LANGUAGE, LANGUAGE, OPEN_AT, meet_customer, tell_language
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch, short
from deploy.demo.tree import has_accounts

PATIENCE = 30.0


@dataclass(frozen=True)
class Customer:
    """An account whose rep does not speak the language it will ask for, and the territory whose rep does."""

    account_id: str
    name: str
    home_id: str
    desk_id: str

    @property
    def path(self) -> str:
        """Return where collab and assignment keep the customer."""
        return f"/v1/accounts/{self.account_id}"


def look_after(stage: Stage, installation: Installation) -> None:
    """Get to know a customer, respect what they say, and let it decide who looks after them."""
    assignment, collab = (
        installation.service(name, role="admin", subject=SUBJECT) for name in ("assignment", "collab")
    )
    customer = _find_customer(assignment)
    need = _get_to_know(stage, collab, customer)
    _respect(stage, collab, customer)
    _follow_up(stage, collab, customer, need)
    plan_id = _ask_for_a_language(stage, assignment, collab, customer)
    try:
        _hand_over(stage, installation, customer, plan_id)
        _come_back(stage, assignment, collab, customer)
    finally:
        tell_language(collab, customer.account_id, HOME_LANGUAGE)
        assignment.post(f"/v1/plans/{plan_id}/rollbacks")


def _find_customer(assignment: Service) -> Customer:
    speaks = {rep["rep_id"]: LANGUAGE in rep["languages"] for rep in assignment.pages("/v1/reps")}
    covered = sorted(
        (coverage["territory_id"], speaks[coverage["rep_id"]])
        for coverage in assignment.pages("/v1/coverages", running=True)
        if has_accounts(coverage["territory_id"])
    )
    desk = next((territory for territory, fits in covered if fits), None)
    home = next((territory for territory, fits in covered if not fits), None)
    if desk is None or home is None:
        raise DemoFailed(f"Some reps speak {LANGUAGE} and some do not: seed the demo again.")
    account = assignment.get("/v1/accounts", territory_id=home, limit=1).body["items"][0]
    return Customer(account["account_id"], account["name"], home, desk)


def _get_to_know(stage: Stage, collab: Service, customer: Customer) -> dict[str, Any]:
    stage.step("What is known of a customer, from whom, and how old it is")
    need = meet_customer(collab, customer.account_id, datetime.now(UTC).date())
    answer = collab.get(f"{customer.path}/profile")
    profile = answer.body
    complete = profile["completeness"]
    stage.show(
        answer,
        {"customer": customer.name, "complete": f"{complete['score_percent']} %", "needs": need["kind"]},
    )
    stage.table(
        ["preference", "value", "source", "sure", "days old"],
        [
            [
                held["name"],
                _brief(held["value"]),
                held["source"],
                f"{held['confidence_percent']} %",
                str(held["age_days"]),
            ]
            for held in profile["preferences"]
        ],
    )
    stage.check(
        "the profile names what is still missing", holds={"cadence", "evidence"} <= set(complete["missing"])
    )
    stage.figures["completeness_percent"] = complete["score_percent"]
    return need


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['from']}-{value['to']} {value['time_zone']}"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _respect(stage: Stage, collab: Service, customer: Customer) -> None:
    stage.step("May we contact them? Asked before, and enforced")
    day = (datetime.now(UTC) + timedelta(days=1)).date()
    questions = (
        ("phone", "service", OPEN_AT, "consent-granted"),
        ("phone", "service", CLOSED_AT, "outside-contact-hours"),
        ("sms", "service", OPEN_AT, "channel-denied"),
        ("email", "marketing", OPEN_AT, "consent-missing"),
    )
    for channel, purpose, clock, reason in questions:
        asked = {"channel": channel, "purpose": purpose, "at": f"{day}T{clock}:00Z"}
        answer = collab.get(f"{customer.path}/contactability", **asked)
        body = answer.body
        shown = {"decision": body["decision"], "reason": body["reason"], "their clock": body["local_at"]}
        stage.show(answer, shown)
        stage.check(f"{purpose} by {channel}: {reason}", holds=body["reason"] == reason)
    contact = {"kind": "planned", "channel": "sms", "purpose": "service"}
    refused = collab.send("POST", f"{customer.path}/contacts", body=contact, accept={HTTPStatus.CONFLICT})
    stage.show(refused, {"code": refused.body["code"], "detail": refused.body["detail"]})
    stage.check(
        "a contact on the channel they blocked is refused",
        holds=refused.body.get("reason") == "channel-denied",
    )


def _follow_up(stage: Stage, collab: Service, customer: Customer, need: Mapping[str, Any]) -> None:
    stage.step("What to do next follows from what is known")
    score = {"external_id": f"tour-{uuid4()}", "kind": "nps", "score": 4}
    answered = {**score, "answered_at": datetime.now(UTC).isoformat()}
    report = collab.post(f"{customer.path}/satisfaction-scores", {"scores": [answered, answered]})
    stage.show(report, report.body["counts"])
    stage.check(
        "an answer told twice counts once", holds=report.body["counts"] == {"recorded": 1, "duplicate": 1}
    )
    before = _next_steps(stage, collab, customer)
    stage.check("a low answer and a need past its day", holds={"satisfaction-low", "need-overdue"} <= before)
    path = f"{customer.path}/needs/{need['need_id']}"
    evidence = {"kind": "delivery", "text": "Two afternoons with their buyers; eight took part."}
    shown = collab.post(f"{path}/evidence", evidence)
    tag = f'"{shown.body["version"]}"'
    met = collab.send("PATCH", path, body={"status": "met"}, headers={"If-Match": tag})
    stage.show(met, {"status": met.body["status"], "evidence": len(met.body["evidence"])})
    better = {**answered, "external_id": f"tour-{uuid4()}", "score": 9}
    better["answered_at"] = datetime.now(UTC).isoformat()
    collab.post(f"{customer.path}/satisfaction-scores", {"scores": [better]})
    after = _next_steps(stage, collab, customer)
    stage.check("both are done with", holds=not {"satisfaction-low", "need-overdue"} & after)
    nps = collab.get("/v1/satisfaction-figures", territory_id=customer.home_id)
    figure = nps.body["items"][0]["nps"]
    stage.show(nps, {"NPS": figure["value"], "of answers": figure["n"]})
    stage.figures["next_steps"] = len(before)


def _next_steps(stage: Stage, collab: Service, customer: Customer) -> set[str]:
    answer = collab.get(f"{customer.path}/next-steps")
    steps = answer.body["items"]
    stage.show(answer, {step["code"]: step["about"] for step in steps})
    return {step["code"] for step in steps}


def _ask_for_a_language(stage: Stage, assignment: Service, collab: Service, customer: Customer) -> str:
    stage.step(f"The customer asks to be spoken to in {LANGUAGE}: who fits?")
    told = tell_language(collab, customer.account_id, LANGUAGE)
    held = next(one for one in told.body["items"] if one["name"] == "language")
    stage.show(told, {"holds": held["value"], "told by": held["source"], "against": held["conflicting"]})
    stage.check("their own word outweighs the CRM's", holds=held["value"] == LANGUAGE)
    since = Stopwatch()
    wait_until(
        lambda: None if _language_known(assignment, customer) == LANGUAGE else "the language",
        what="assignment",
        seconds=PATIENCE,
    )
    stage.figures["language_known_after_seconds"] = round(since.seconds, 3)
    now = _show_fit(stage, assignment.get(f"{customer.path}/fit"))
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "A desk for a language"})
    plan_id = str(draft.body["plan_id"])
    rule = {
        "name": f"who speaks {LANGUAGE}",
        "territory_id": customer.desk_id,
        "position": 0,
        "condition": {"field": "language", "op": "eq", "value": LANGUAGE},
    }
    ruled = assignment.put(f"/v1/plans/{plan_id}/rules/{uuid4()}", rule, etag=draft.etag or "")
    stage.show(ruled, {"rule": f"language = {LANGUAGE}", "to": short(customer.desk_id)})
    then = _show_fit(stage, assignment.get(f"{customer.path}/fit", plan_id=plan_id))
    stage.check("before anything changes, the draft fits better than what is", holds=then > now)
    stage.figures |= {"fit_before_percent": now, "fit_after_percent": then}
    assignment.post(f"/v1/plans/{plan_id}/activations", {"replacing_plan_id": live}, etag=ruled.etag)
    return plan_id


def _language_known(assignment: Service, customer: Customer) -> str | None:
    language: str | None = assignment.get(f"{customer.path}/fit").body["wanted"]["language"]
    return language


def _show_fit(stage: Stage, answer: Answer) -> int:
    parts = {part["name"]: part["score"] for part in answer.body["reps"][0]["parts"]}
    stage.show(answer, {"fit": f"{answer.body['score']} %", **parts})
    return int(answer.body["score"] or 0)


def _hand_over(stage: Stage, installation: Installation, customer: Customer, plan_id: str) -> None:
    stage.step("The desk takes over, and the profile goes along")
    assignment = installation.service("assignment", role="admin", subject=SUBJECT)
    activation = assignment.get("/v1/activations", plan_id=plan_id, limit=1).body["items"][0]["activation_id"]
    before, after = (
        installation.service("collab", role="contributor", subject=SUBJECT, scope=side)
        for side in (customer.home_id, customer.desk_id)
    )
    found: list[dict[str, Any]] = []

    def missing() -> str | None:
        query = {"account_id": customer.account_id, "activation_id": activation}
        found[:] = after.get("/v1/handoffs", **query).body["items"]
        return None if found else "no handoff"

    wait_until(missing, what="collab", seconds=PATIENCE)
    answer = after.get(f"/v1/handoffs/{found[0]['handoff_id']}")
    brief = answer.body["brief"]["customer"]
    stage.show(
        answer,
        {
            "complete": f"{brief['completeness']['score_percent']} %",
            "preferences": len(brief["preferences"]),
            "consents": len(brief["consents"]),
        },
    )
    stage.check(
        "the brief carries preferences and consents over",
        holds=len(brief["preferences"]) >= 3 and len(brief["consents"]) >= 2,
    )
    gone = before.find(f"{customer.path}/profile")
    here = after.find(f"{customer.path}/profile")
    stage.check(
        "the new owner sees the profile, the old one no longer", holds=gone is None and here is not None
    )


def _come_back(stage: Stage, assignment: Service, collab: Service, customer: Customer) -> None:
    stage.step("They change their mind: a rule reads the language, so the account moves at once")
    stage.show(tell_language(collab, customer.account_id, HOME_LANGUAGE), {"language": HOME_LANGUAGE})
    since = Stopwatch()

    def missing() -> str | None:
        there = assignment.get(customer.path).body["alignment"]["territory_id"]
        return None if there == customer.home_id else f"territory {short(there)}"

    wait_until(missing, what="assignment", seconds=PATIENCE)
    stage.figures["moved_after_seconds"] = round(since.seconds, 3)
    stage.confirm(f"back at home by an event, without an activation, {since.seconds:.2f} s later")
