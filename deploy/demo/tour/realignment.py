"""One realignment: cloned, planned, previewed, activated, followed through three services, rolled back."""

from typing import Any

from deploy.demo.client import Installation, Service
from deploy.demo.tour.chart import Moment, draw_bars, draw_maps
from deploy.demo.tour.following import (
    Credit,
    Credits,
    activate,
    follow_handoffs,
    see_credit_move,
    watch_events,
)
from deploy.demo.tour.planning import Draft, clone_live_plan, look_at_diff, move_postal_codes
from deploy.demo.tour.returning import accounts_of, roll_back, see_all_agree
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch
from deploy.demo.tour.subscriber import Subscriber


def realign(stage: Stage, installation: Installation) -> None:
    """Carry one realignment through and take it back."""
    assignment, metrics, collab = (
        installation.service(name, role="manager", subject=SUBJECT)
        for name in ("assignment", "metrics", "collab")
    )
    live_plan_id, plan_id = clone_live_plan(stage, assignment)
    draft = move_postal_codes(stage, assignment, live_plan_id, plan_id)
    diff = look_at_diff(stage, assignment, draft)
    before = Credits.read(metrics)
    subscriber = Subscriber(installation.endpoints.kafka_bootstrap_servers)
    try:
        activation = activate(stage, assignment, draft, diff).body
        since = Stopwatch()
        watch_events(stage, subscriber, activation, diff, since)
        accepted = follow_handoffs(stage, installation, collab, activation, diff, since)
        during = see_credit_move(stage, metrics, draft, diff, before, since)
        realigned = _moment("realigned", assignment, draft, during.as_is)
        rollback = roll_back(stage, assignment, subscriber, draft, diff)
    finally:
        subscriber.close()
    see_all_agree(
        stage,
        installation,
        draft,
        diff,
        activation=activation,
        rollback=rollback,
        before=before,
        accepted_account=accepted,
    )
    after = _moment("rolled back", assignment, draft, Credit.read(metrics, "as_is"))
    _draw(stage, _before(draft, before.as_is), realigned, after)


def _draw(stage: Stage, before: Moment, realigned: Moment, after: Moment) -> None:
    stage.step("The two territories before and after")
    draw_maps(stage.console, [before, realigned])
    draw_bars(stage.console, [before, realigned, after])


def _before(draft: Draft, credit: Credit) -> Moment:
    sides = (draft.source, draft.target)
    points = {side.name: _points(side.accounts) for side in sides}
    return Moment("before", points, {side.name: credit.of(side) for side in sides})


def _moment(title: str, assignment: Service, draft: Draft, credit: Credit) -> Moment:
    sides = (draft.source, draft.target)
    points = {side.name: _points(accounts_of(assignment, side)) for side in sides}
    return Moment(title, points, {side.name: credit.of(side) for side in sides})


def _points(accounts: dict[str, dict[str, Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((account["longitude"], account["latitude"]) for account in accounts.values())
