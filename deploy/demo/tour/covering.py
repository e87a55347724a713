"""Who covers a territory: roles beside each other, shares up to the whole, and a hand-over that leaves no gap."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from deploy.demo.client import Answer, Service
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.stage import Stage, short

PATH = "/v1/coverages"


def cover(stage: Stage, assignment: Service, territory_id: str) -> None:
    """Put reps on a territory in every role, refuse what overlaps, and leave it as it was."""
    primary = next((one for one in _running(assignment, territory_id) if one["role"] == "primary"), None)
    if primary is None:
        raise DemoFailed(f"Nobody covers {territory_id}: seed the demo again.")
    reps = [rep["rep_id"] for rep in assignment.get("/v1/reps", limit=5).body["items"]]
    one, other = [rep for rep in reps if rep != primary["rep_id"]][:2]
    try:
        _add_roles(stage, assignment, territory_id, one)
        _refuse_overlaps(stage, assignment, territory_id, other)
        _hand_over(stage, assignment, primary, other)
    finally:
        _leave_as_it_was(assignment, primary)
    left = {(found["role"], found["rep_id"]) for found in _running(assignment, territory_id)}
    stage.check("at the end it is covered as before", holds=left == {("primary", primary["rep_id"])})


def _add_roles(stage: Stage, assignment: Service, territory_id: str, rep_id: str) -> None:
    stage.step("Who covers it: one primary, a backup, overlays up to the whole")
    until = _in_days(30)
    for role, share in (("backup", "100"), ("overlay", "60")):
        body = {"territory_id": territory_id, "rep_id": rep_id, "role": role, "valid_to": until}
        begun = assignment.post(PATH, {**body, "share_percent": share})
        stage.show(begun, {"role": role, "share": f"{share} %", "until": until[:10]})


def _refuse_overlaps(stage: Stage, assignment: Service, territory_id: str, rep_id: str) -> None:
    asked: dict[str, dict[str, Any]] = {
        # The primary of today has covered it since later than that.
        "coverage-overlaps": {"role": "primary", "valid_from": "2020-01-01T00:00:00Z"},
        "shares-exceed-whole": {"role": "overlay", "share_percent": "50"},
    }
    for code, more in asked.items():
        body = {"territory_id": territory_id, "rep_id": rep_id, **more}
        refused = assignment.send("POST", PATH, body=body, accept={HTTPStatus.CONFLICT})
        stage.show(refused, {"code": refused.body["code"], "detail": refused.body["detail"]})
        stage.check(
            f"{code.replace('-', ' ')}: refused",
            holds=(refused.status, refused.body["code"]) == (HTTPStatus.CONFLICT, code),
        )


def _hand_over(stage: Stage, assignment: Service, primary: dict[str, Any], rep_id: str) -> None:
    stage.step("Another rep takes over, and the one before keeps a holdover")
    until = _in_days(45)
    body = {"territory_id": primary["territory_id"], "rep_id": rep_id, "holdover_until": until}
    taken = assignment.post(PATH, {**body, "holdover_share_percent": "25"})
    stage.show(taken, {"role": taken.body["role"], "rep": short(rep_id), "from": taken.body["valid_from"]})
    running = {one["role"]: one for one in _running(assignment, primary["territory_id"])}
    before = assignment.get(f"{PATH}/{primary['coverage_id']}")
    holdover = running["holdover"]
    stage.show(
        before,
        {"ended": before.body["valid_to"], "holdover": f"{holdover['share_percent']} % until {until[:10]}"},
    )
    stage.check(
        "one primary ends at the instant at which the other begins, and keeps a quarter for now",
        holds=before.body["valid_to"] == taken.body["valid_from"]
        and (holdover["rep_id"], running["primary"]["rep_id"]) == (primary["rep_id"], rep_id),
    )


def _leave_as_it_was(assignment: Service, primary: dict[str, Any]) -> None:
    running = _running(assignment, primary["territory_id"])
    if all(one["coverage_id"] != primary["coverage_id"] for one in running):
        names = ("territory_id", "rep_id", "share_percent")
        assignment.post(PATH, {name: primary[name] for name in names})
    for one in running:
        if one["role"] != "primary":
            _end(assignment, one)


def _end(assignment: Service, coverage: dict[str, Any]) -> Answer:
    return assignment.post(f"{PATH}/{coverage['coverage_id']}/endings", {})


def _running(assignment: Service, territory_id: str) -> list[dict[str, Any]]:
    return list(assignment.pages(PATH, territory_id=territory_id, running=True))


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()
