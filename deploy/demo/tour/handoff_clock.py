"""A clock that starts by itself: an account moves, and who takes it over has two business days to say so."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.client import Installation, Service, wait_until
from deploy.demo.tour.following import accept
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch, short
from deploy.demo.tour.subscriber import Event, Subscriber

OBLIGATIONS = "collab.obligation.events.v1"
OPENED = "collab.obligation.opened.v1"
PROTOCOL = "handoff-acceptance"
PATIENCE = 30.0
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def start_by_handoff(
    stage: Stage, installation: Installation, account: Mapping[str, Any], to_territory_id: str
) -> None:
    """Move one account, see its clock start and end, and move it back."""
    assignment, collab = (
        installation.service(name, role="admin", subject=SUBJECT) for name in ("assignment", "collab")
    )
    stage.step("An account changes hands: the protocol of handoffs starts a clock")
    account_id = account["account_id"]
    _settle(collab, account_id)
    subscriber = Subscriber(installation.endpoints.kafka_bootstrap_servers, OBLIGATIONS)
    try:
        plan_id, activation_id = _move(stage, assignment, account_id, to_territory_id)
        try:
            since = Stopwatch()
            handoff = _handoff_of(collab, account_id, activation_id)
            event = _see_event(stage, subscriber, handoff["handoff_id"], since)
            _see_deadline(stage, collab, event.data["obligation_id"])
            accept(stage, installation, handoff)
            _see_end(stage, collab, event.data["obligation_id"])
        finally:
            back = assignment.post(f"/v1/plans/{plan_id}/rollbacks")
    finally:
        subscriber.close()
    _handoff_of(collab, account_id, back.body["activation_id"])
    _settle(collab, account_id)


def _settle(collab: Service, account_id: str) -> None:
    """Accept what is still on its way: while it is, moving the account again would be a way back home."""
    for handoff in list(collab.pages("/v1/handoffs", account_id=account_id, state="sent")):
        collab.post(f"/v1/handoffs/{handoff['handoff_id']}/acceptances")


def _move(stage: Stage, assignment: Service, account_id: str, to_territory_id: str) -> tuple[str, str]:
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "One account to a colleague"})
    plan_id = str(draft.body["plan_id"])
    pin = {
        "territory_id": to_territory_id,
        "reason": "Their new head office is next door to the colleague.",
        "owner_subject": SUBJECT,
    }
    pinned = assignment.put(f"/v1/plans/{plan_id}/pins/{account_id}", pin, etag=draft.etag or "")
    body = {"replacing_plan_id": live}
    activation = assignment.post(f"/v1/plans/{plan_id}/activations", body, etag=pinned.etag)
    stage.show(activation, {name: activation.body[name] for name in ("kind", "moved")})
    stage.check("one account moved, by its pin", holds=activation.body["moved"] == 1)
    return plan_id, str(activation.body["activation_id"])


def _handoff_of(collab: Service, account_id: str, activation_id: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def missing() -> str | None:
        query = {"account_id": account_id, "activation_id": activation_id}
        found[:] = collab.get("/v1/handoffs", **query).body["items"]
        return None if found else "no handoff"

    wait_until(missing, what="collab", seconds=PATIENCE)
    return found[0]


def _see_event(stage: Stage, subscriber: Subscriber, handoff_id: str, since: Stopwatch) -> Event:
    (event,) = subscriber.wait_for(
        lambda told: told.data["subject_id"] == handoff_id, event_type=OPENED, count=1, seconds=PATIENCE
    )
    stage.figures["obligation_after_seconds"] = round(since.seconds, 3)
    names = ("duty", "started_at", "due_at")
    stage.fields({"on Kafka": event.headers["ce_type"], **{name: event.data[name] for name in names}})
    stage.check("Kafka tells what is owed, and that it is to accept", holds=event.data["duty"] == "accept")
    return event


def _see_deadline(stage: Stage, collab: Service, obligation_id: str) -> None:
    answer = collab.get(f"/v1/obligations/{obligation_id}")
    owed = answer.body
    protocol = collab.get(f"/v1/protocols/{PROTOCOL}").body
    calendar = collab.get(f"/v1/calendars/{protocol['calendar_code']}").body
    zone = ZoneInfo(calendar["time_zone"])
    started, due = (datetime.fromisoformat(owed[name]).astimezone(zone) for name in ("started_at", "due_at"))
    stage.show(answer, {"owes": f"rep {short(owed['rep_id'])}", "protocol": protocol["name"]})
    written = "%a %d %b %H:%M"
    stage.fields({"started": f"{started:{written}}", "due": f"{due:{written}}", "on the clock of": zone.key})
    stage.table(
        ["step", "when", "state"],
        [[one["action"], one["due_at"][:16], one["state"]] for one in owed["steps"]],
    )
    worked = _days_of_work(calendar, started.date(), due.date())
    closes = {one["to"] for one in calendar["hours"] if _DAYS[due.weekday()] in one["days"]}
    stage.check(
        f"due when {worked} days of work have passed, at the end of the last; nights, weekends, holidays are none",
        holds=(protocol["due"]["unit"], protocol["due"]["amount"]) == ("days", worked)
        and f"{due:%H:%M}" in closes,
    )


def _days_of_work(calendar: Mapping[str, Any], first: date, last: date) -> int:
    """Count the days with work after the first, up to the last."""
    week = {day for hours in calendar["hours"] for day in hours["days"]}
    days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    return sum(_DAYS[day.weekday()] in week and day.isoformat() not in calendar["holidays"] for day in days)


def _see_end(stage: Stage, collab: Service, obligation_id: str) -> None:
    answer = collab.get(f"/v1/obligations/{obligation_id}")
    steps = {one["state"] for one in answer.body["steps"]}
    stage.show(answer, {"state": answer.body["state"], "outcome": answer.body["outcome"]})
    stage.check(
        "accepting ends it in time: nobody is reminded, nothing escalates",
        holds=(answer.body["outcome"], steps) == ("fulfilled", {"cancelled"}),
    )
