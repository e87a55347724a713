"""Territories that are fair and explained: balance before anything changes, a gate, pins, and who covers what."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from deploy.demo.client import Answer, Installation, Service
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.stage import SUBJECT, Stage, short

_MEASURES = ("accounts", "employees", "revenue", "pipeline")


def balance(stage: Stage, installation: Installation) -> None:
    """Judge a draft that goes too far, hold an account by hand, and put reps on a territory."""
    assignment = installation.service("assignment", role="admin", subject=SUBJECT)
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    fair = _show_balance(stage, assignment, live)
    draft_id, territory_id = _leave_out_a_territory(stage, assignment, live)
    _compare(stage, assignment, draft_id, fair)
    account_id = _explain(stage, assignment, territory_id)
    _pin(stage, assignment, live, account_id)
    _be_judged(stage, assignment, live, draft_id)
    _cover(stage, assignment, territory_id)


def _show_balance(stage: Stage, assignment: Service, plan_id: str) -> dict[str, Any]:
    stage.step("How fairly the live plan cuts the map")
    answer = assignment.get(f"/v1/plans/{plan_id}/balance")
    stage.show(answer, {name: answer.body[name] for name in ("gaps", "vacancies", "overlapping_accounts")})
    rows = [row for row in answer.body["fairness"] if row["measure"] in _MEASURES]
    stage.table(
        ["measure", "Gini", "P90/P10", "within 15 %"],
        [
            [
                f"{row['measure']} {row['currency'] or ''}".strip(),
                *(str(row[name]["value"]) for name in ("gini", "p90_to_p10", "share_within_band")),
            ]
            for row in rows
        ],
    )
    far = [one["travel"]["mean_km"] for one in answer.body["territories"] if one["travel"]["mean_km"]]
    stage.fields({"mean way to the middle of a territory, km": round(sum(far) / len(far), 1)})
    found = next(row for row in rows if row["measure"] == "accounts")
    stage.check(
        "Gini lies between 0 (all alike) and 1 (one has all)", holds=0 <= float(found["gini"]["value"]) <= 1
    )
    stage.figures |= {
        "gini_accounts": found["gini"]["value"],
        "mean_travel_km": round(sum(far) / len(far), 1),
    }
    body: dict[str, Any] = answer.body
    return body


def _leave_out_a_territory(stage: Stage, assignment: Service, live: str) -> tuple[str, str]:
    stage.step("A draft that forgets a territory")
    rules = list(assignment.pages(f"/v1/plans/{live}/rules"))
    last = [rule for rule in rules if rule["condition"].get("field") == "county"][-1]["territory_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "One territory fewer"})
    plan_id, etag = str(draft.body["plan_id"]), draft.etag or ""
    for rule in [rule for rule in rules if rule["territory_id"] == last]:
        gone = assignment.send(
            "DELETE", f"/v1/plans/{plan_id}/rules/{rule['rule_id']}", headers={"If-Match": etag}
        )
        etag = gone.etag or etag
    stage.show(draft, {"draft": short(plan_id), "left out": short(last)})
    return plan_id, str(last)


def _compare(stage: Stage, assignment: Service, draft_id: str, fair: dict[str, Any]) -> None:
    answer = assignment.get(f"/v1/plans/{draft_id}/balance")
    moved = answer.body["disruption"]["moved"]
    stage.show(answer, {"gaps": answer.body["gaps"], "would move": moved})
    stage.check(
        f"{answer.body['gaps']} accounts would belong to nobody, and the draft says so before it is live",
        holds=answer.body["gaps"] > fair["gaps"] and moved == answer.body["gaps"] - fair["gaps"],
    )


def _explain(stage: Stage, assignment: Service, territory_id: str) -> str:
    stage.step("Why is this account here?")
    account = assignment.get("/v1/accounts", territory_id=territory_id, limit=1).body["items"][0]
    answer = assignment.get(f"/v1/accounts/{account['account_id']}/explanation")
    ground = answer.body["ground"]
    (compared, *_) = ground["rule"]["comparisons"]
    stage.show(answer, {"path": " > ".join(step["name"] for step in ground["path"])})
    stage.fields(
        {
            "rule": ground["rule"]["name"],
            "because": f"{compared['field']} {compared['op']} … holds for {compared['actual']}",
            "others that lost": len(ground["candidates"]),
        }
    )
    stage.check(
        "replayed from what is on record, it comes out the same", holds=answer.body["replays"] is True
    )
    return str(account["account_id"])


def _pin(stage: Stage, assignment: Service, live: str, account_id: str) -> None:
    stage.step("Hold it by hand: with a reason, an owner and an end")
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "One account by hand"})
    plan_id = draft.body["plan_id"]
    here = assignment.get(f"/v1/accounts/{account_id}").body["alignment"]["territory_id"]
    elsewhere = next(
        rule["territory_id"]
        for rule in assignment.pages(f"/v1/plans/{live}/rules")
        if rule["territory_id"] != here
    )
    body = {
        "territory_id": elsewhere,
        "reason": "Their buyer was the rep's first customer.",
        "owner_subject": SUBJECT,
        "expires_at": (datetime.now(UTC) + timedelta(days=90)).isoformat(),
    }
    pinned = assignment.put(f"/v1/plans/{plan_id}/pins/{account_id}", body, etag=draft.etag or "")
    stage.show(pinned, {name: pinned.body[name] for name in ("reason", "owner_subject", "expires_at")})
    would = assignment.get(f"/v1/accounts/{account_id}/explanation", plan_id=plan_id)
    match = would.body["ground"]["match"]
    stage.show(would, {"cause": match["cause"], "to": short(match["territory_id"])})
    stage.check(
        "in the draft the pin comes before every rule",
        holds=(match["cause"], match["territory_id"]) == ("pin", elsewhere),
    )


def _be_judged(stage: Stage, assignment: Service, live: str, draft_id: str) -> None:
    stage.step("The gate: what blocks is refused, with the way out")
    policy = assignment.get("/v1/gate-policy")
    limits = {name: value for name, value in policy.body.items() if isinstance(value, dict)}
    strict = {**limits, "gaps": {"warn": "0", "block": "0.005"}}
    put = assignment.put("/v1/gate-policy", strict, etag=policy.etag or "")
    try:
        gate = assignment.get(f"/v1/plans/{draft_id}/gate")
        stage.show(gate, {"passes": gate.body["passes"]})
        for finding in gate.body["findings"]:
            stage.fields(
                {finding["severity"]: finding["check"], "value": finding["value"], "fix": finding["fix"]}
            )
        refused = assignment.send(
            "POST",
            f"/v1/plans/{draft_id}/activations",
            body={"replacing_plan_id": live},
            headers={"If-Match": gate.etag or ""},
            accept={HTTPStatus.CONFLICT},
        )
        stage.show(refused, {"code": refused.body["code"]})
        blocks = [one["check"] for one in gate.body["findings"] if one["severity"] == "block"]
        stage.check(
            "a draft with gaps does not go live; only an administrator with a reason may say otherwise",
            holds=blocks == ["gaps"] and refused.body["code"] == "gate-refused",
        )
    finally:
        assignment.put("/v1/gate-policy", limits, etag=put.etag or "")


def _cover(stage: Stage, assignment: Service, territory_id: str) -> None:
    stage.step("Who covers it: one primary, a backup, overlays up to the whole")
    running = list(assignment.pages("/v1/coverages", territory_id=territory_id, running=True))
    primary = next((one for one in running if one["role"] == "primary"), None)
    if primary is None:
        raise DemoFailed(f"Nobody covers {territory_id}: seed the demo again.")
    reps = [rep["rep_id"] for rep in assignment.get("/v1/reps", limit=5).body["items"]]
    one, other = [rep for rep in reps if rep != primary["rep_id"]][:2]
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    begun: list[Answer] = []
    try:
        for rep, role, share in ((one, "backup", "100"), (one, "overlay", "60")):
            body = {"territory_id": territory_id, "rep_id": rep, "role": role, "valid_to": until}
            begun.append(assignment.post("/v1/coverages", {**body, "share_percent": share}))
            stage.show(begun[-1], {"role": role, "share": f"{share} %", "until": until[:10]})
        body = {"territory_id": territory_id, "rep_id": other, "role": "overlay", "share_percent": "50"}
        refused = assignment.send("POST", "/v1/coverages", body=body, accept={HTTPStatus.CONFLICT})
        stage.show(refused, {"code": refused.body["code"], "detail": refused.body["detail"]})
        stage.check("60 % and 50 % are more than there is", holds=refused.status == HTTPStatus.CONFLICT)
    finally:
        for answer in begun:
            assignment.post(f"/v1/coverages/{answer.body['coverage_id']}/endings", {})
