"""Territories that are fair and explained: balance before anything changes, a gate, pins, and who covers what."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from deploy.demo.client import Answer, Installation, Service
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.covering import cover
from deploy.demo.tour.judging import be_judged
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
    be_judged(stage, assignment, live, draft_id)
    cover(stage, assignment, territory_id)


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
    found = _of_accounts(answer.body)
    stage.check(
        "Gini lies between 0 (all alike) and 1 (one has all)", holds=0 <= float(found["gini"]["value"]) <= 1
    )
    stage.figures |= {
        "gini_accounts": found["gini"]["value"],
        "mean_travel_km": round(sum(far) / len(far), 1),
    }
    body: dict[str, Any] = answer.body
    return body


def _of_accounts(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in body["fairness"] if row["measure"] == "accounts")
    return found


def _gini(row: dict[str, Any]) -> Decimal:
    return Decimal(row["gini"]["value"])


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
    names = ("gini", "p90_to_p10", "share_within_band", "highest_to_lowest")
    now, then = (_of_accounts(body) for body in (fair, answer.body))
    stage.table(
        ["accounts per territory", "live", "draft"],
        [
            [name.replace("_", " "), *(str(one[name]["value"] or one[name]["reason"]) for one in (now, then))]
            for name in names
        ],
    )
    stage.check("the draft is less fair than what is live", holds=_gini(then) > _gini(now))
    stage.figures["gini_accounts_draft"] = then["gini"]["value"]
    stage.check(
        f"{answer.body['gaps']} accounts would belong to nobody, and the draft says so before it is live",
        holds=answer.body["gaps"] > fair["gaps"] and moved == answer.body["gaps"] - fair["gaps"],
    )


def _explain(stage: Stage, assignment: Service, territory_id: str) -> str:
    stage.step("Why was this account here, a month ago?")
    at = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    answer = _first_explained(assignment, territory_id, at)
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
    return str(answer.body["account_id"])


def _first_explained(assignment: Service, territory_id: str, at: str) -> Answer:
    """Return why the first account that was known by then was where it was."""
    for account in assignment.pages("/v1/accounts", territory_id=territory_id):
        answer = assignment.get(f"/v1/accounts/{account['account_id']}/explanation", at=at)
        if answer.body["ground"] is not None:
            return answer
    raise DemoFailed(f"No account in {territory_id} is known for a month: seed the demo again.")


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
