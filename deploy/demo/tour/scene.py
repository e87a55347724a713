"""The order of the tour, and its report."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.demo.client import Installation, Service
from deploy.demo.failing import DemoFailed
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
from deploy.demo.tour.stage import Stage, Stopwatch
from deploy.demo.tour.subscriber import Subscriber

SCENE = "realignment"
SUBJECT = "tour"


def take_tour(installation: Installation, console: Console, report: Path) -> int:
    """Take the tour; return 0, or 1 with the sentence that tells what disagreed."""
    stage, watch = Stage(console), Stopwatch()
    failure: str | None = None
    try:
        _realignment(stage, installation)
    except DemoFailed as failed:
        failure = str(failed)
        stage.figures["failure"] = failure
    scene = {
        "name": SCENE,
        "seconds": round(watch.seconds, 2),
        "ok": failure is None,
        "figures": {**stage.figures, "checks": stage.checks},
    }
    _write(report, scene)
    console.print()
    if failure is not None:
        console.print(
            f"[bold red]✗ The tour failed after {watch.seconds:.1f} s.[/] {failure}", soft_wrap=True
        )
        return 1
    console.print(f"[bold green]ok[/] The tour is over: {stage.checks} checks hold, {watch.seconds:.1f} s.")
    return 0


def _realignment(stage: Stage, installation: Installation) -> None:
    stage.console.print("[bold]One realignment, carried through three services[/]")
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


def _write(report: Path, scene: dict[str, Any]) -> None:
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({"scenes": [scene]}, indent=2) + "\n")
