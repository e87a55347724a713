"""The gate: what it finds against a draft, what it refuses, and what it takes to go on regardless."""

from http import HTTPStatus
from typing import Any

from deploy.demo.client import Answer, Service
from deploy.demo.tour.stage import Stage

PATH = "/v1/gate-policy"
REASON = "Its accounts go to a partner, who is not on board yet."


def be_judged(stage: Stage, assignment: Service, live: str, draft_id: str) -> None:
    """Have a draft refused by a strict gate, override it with a reason, and roll it back."""
    stage.step("The gate: what blocks is refused, with the way out")
    policy = assignment.get(PATH)
    limits = {name: value for name, value in policy.body.items() if isinstance(value, dict)}
    strict = assignment.put(PATH, {**limits, "gaps": {"warn": "0", "block": "0.005"}}, etag=policy.etag or "")
    try:
        gate = _be_refused(stage, assignment, live, draft_id)
        _override(stage, assignment, live, draft_id, gate)
    finally:
        assignment.put(PATH, limits, etag=strict.etag or "")


def _be_refused(stage: Stage, assignment: Service, live: str, draft_id: str) -> Answer:
    gate = assignment.get(f"/v1/plans/{draft_id}/gate")
    stage.show(gate, {"passes": gate.body["passes"]})
    for finding in gate.body["findings"]:
        told = {name: finding[name] for name in ("value", "threshold", "fix")}
        stage.fields({finding["severity"]: finding["check"], **told})
    refused = _activate(assignment, draft_id, gate, {"replacing_plan_id": live})
    stage.show(refused, {"code": refused.body["code"]})
    blocks = [one["check"] for one in gate.body["findings"] if one["severity"] == "block"]
    stage.check(
        "a draft with gaps does not go live",
        holds=blocks == ["gaps"] and refused.body.get("code") == "gate-refused",
    )
    stage.figures["gate_findings"] = len(gate.body["findings"])
    return gate


def _override(stage: Stage, assignment: Service, live: str, draft_id: str, gate: Answer) -> None:
    stage.step("An administrator says why it goes live all the same; and takes it back")
    body = {"replacing_plan_id": live, "override_reason": REASON}
    forced = _activate(assignment, draft_id, gate, body)
    stage.show(forced, {name: forced.body.get(name) for name in ("kind", "moved", "gaps", "override_reason")})
    stage.check("with a reason it goes live", holds=forced.status == HTTPStatus.CREATED)
    back = assignment.post(f"/v1/plans/{draft_id}/rollbacks")
    stage.show(back, {name: back.body[name] for name in ("kind", "moved", "gaps")})
    stage.check(
        "rolled back, no account is without a territory, and the plan before is live",
        holds=(back.body["gaps"], back.body["plan_id"], back.body["moved"])
        == (0, live, forced.body["moved"]),
    )
    recorded = assignment.get("/v1/activations", plan_id=draft_id).body["items"]
    stage.check(
        "the reason stays on record with the activation",
        holds=[one["override_reason"] for one in recorded] == [REASON],
    )
    stage.figures["override_moved"] = forced.body["moved"]


def _activate(assignment: Service, draft_id: str, gate: Answer, body: dict[str, Any]) -> Answer:
    path, tag = f"/v1/plans/{draft_id}/activations", {"If-Match": gate.etag or ""}
    return assignment.send("POST", path, body=body, headers=tag, accept={HTTPStatus.CONFLICT})
