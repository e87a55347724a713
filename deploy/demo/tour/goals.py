"""Goals that are smart and metrics that mean one thing: what a goal lacks, how it does, and who hears of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from deploy.demo.client import Installation, Service, wait_until
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch
from deploy.demo.tree import ROOT, territory_id

PATIENCE = 30.0
_METRICS = ("revenue", "cac", "paid-cac", "conversion", "win-rate", "pipeline")


def set_goals(stage: Stage, installation: Installation) -> None:
    """Read metrics with their meaning, set a goal that falls behind, and see the team told."""
    metrics, collab = (
        installation.service(name, role="admin", subject=SUBJECT) for name in ("metrics", "collab")
    )
    root = str(territory_id(ROOT))
    revenue = _read_metrics(stage, metrics, root)
    goal = _set_goal(stage, metrics, root, revenue)
    try:
        _fall_behind(stage, metrics, collab, goal)
    finally:
        metrics.post(f"/v1/goals/{goal['goal_id']}/cancellations")


def _read_metrics(stage: Stage, metrics: Service, root: str) -> Decimal:
    stage.step("What the numbers mean, and what they are")
    meaning = metrics.get("/v1/metric-definitions/cac").body
    stage.fields({"CAC": meaning["formula"], "version": meaning["version"]})
    today = datetime.now(UTC).date()
    period = {
        "from": (today - timedelta(days=364)).isoformat(),
        "to": (today + timedelta(days=1)).isoformat(),
    }
    totals: dict[str, dict[str, Any]] = {}
    for view in ("as_was", "as_is"):
        answer = metrics.get(
            "/v1/metrics", metric_id=list(_METRICS), view=view, territory_id=root, include="self", **period
        )
        totals[view] = {
            one["metric_id"]: one for one in answer.body["totals"] if one["currency"] in {"USD", None}
        }
        if view == "as_was":
            stage.show(answer)
            rows = [[name, *_told(totals[view].get(name))] for name in _METRICS]
            stage.table(["metric", "value", "numerator", "denominator"], rows)
    same = {name: one["value"] for name, one in totals["as_was"].items()}
    stage.check(
        "as it was and as it is add up to the same, ratios included",
        holds=same == {name: one["value"] for name, one in totals["as_is"].items()},
    )
    tomorrow = (today + timedelta(days=2)).isoformat()
    empty = metrics.get(
        "/v1/metrics", metric_id=["win-rate"], view="as_was", territory_id=root, include="self",
        **{"from": period["to"], "to": tomorrow},
    )  # fmt: skip
    values = empty.body["totals"]
    stage.check(
        "nothing to divide by is no number but a reason",
        holds=all(one["value"] is None and one["reason"] for one in values),
    )
    return Decimal(totals["as_was"]["revenue"]["value"])


def _told(value: dict[str, Any] | None) -> list[str]:
    if value is None:
        return ["-", "-", "-"]
    return [str(value["reason"] if value["value"] is None else value["value"])] + [
        str(value[name] or "") for name in ("numerator", "denominator")
    ]


def _set_goal(stage: Stage, metrics: Service, root: str, revenue: Decimal) -> dict[str, Any]:
    stage.step("A goal is checked before it counts")
    today = datetime.now(UTC).date()
    vague = {
        "title": "Sell much more",
        "metric_id": "revenue",
        "territory_id": root,
        "target": str((revenue * 3).quantize(Decimal("0.01"))),
        "first_day": (today - timedelta(days=180)).isoformat(),
        "end_day": (today + timedelta(days=185)).isoformat(),
        "pacing": "linear",
    }
    drafted = metrics.post("/v1/goals", vague)
    stage.show(drafted)
    for one in drafted.body["findings"]:
        stage.fields({f"{one['letter']} {one['field']}": one["code"], "fix": one["fix"]})
    path = f"/v1/goals/{drafted.body['goal_id']}"
    refused = metrics.send("POST", f"{path}/activations", accept={HTTPStatus.UNPROCESSABLE_ENTITY})
    stage.show(refused, {"code": refused.body["code"]})
    stage.check("a wish is no goal: it is refused until it is mended", holds=refused.status == 422)
    smart = {
        **vague,
        "title": "Three times the revenue in a year",
        "currency": "USD",
        "owner": "The head of sales",
        "objective": "Pay for the second region",
        "stretch": True,
    }
    put = metrics.put(path, smart, etag=drafted.etag or "")
    active = metrics.post(f"{path}/activations", etag=put.etag)
    stage.show(active, {"state": active.body["state"], "target": active.body["target"]})
    goal: dict[str, Any] = active.body
    return goal


def _fall_behind(stage: Stage, metrics: Service, collab: Service, goal: dict[str, Any]) -> None:
    stage.step("It falls behind: the worker notices, Kafka tells, the team finds a thread on the goal")
    since = Stopwatch()
    path = f"/v1/goals/{goal['goal_id']}"
    wait_until(
        lambda: None if metrics.get(path).body["at_risk"] else "the risk",
        what="metrics' worker",
        seconds=PATIENCE,
    )
    answer = metrics.get(f"{path}/progress")
    names = ("value", "due", "elapsed", "pace", "required_per_day")
    stage.show(answer, {name: answer.body[name] for name in names})
    forecast = answer.body["forecast"]
    stage.fields({f"forecast {name}": forecast[name] for name in ("low", "expected", "high")})
    stage.check("less than 85 % of what is due by now", holds=Decimal(answer.body["pace"]) < Decimal("0.85"))
    found: list[dict[str, Any]] = []

    def missing() -> str | None:
        found[:] = collab.pages("/v1/notes", subject_type="goal", subject_id=goal["goal_id"])
        return None if found else "no note"

    wait_until(missing, what="collab", seconds=PATIENCE)
    stage.figures["note_after_seconds"] = round(since.seconds, 3)
    stage.say(found[0]["body"])
    stage.check(
        f"one note on the goal, {since.seconds:.2f} s after the goal was activated",
        holds=len(found) == 1,
    )
