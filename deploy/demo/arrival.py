"""Waits until what was posted has arrived: metrics' figures equal the ledger, assignment knows them too."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from deploy.demo.client import Answer, Service, wait_until
from deploy.demo.ledger import Ledger

UNASSIGNED = "00000000-0000-0000-0000-000000000000"
COUNTS = ("leads", "opportunities", "orders", "won", "lost")
# Asking costs as much work as counting some thousand facts.
_PAUSE = 0.3
MONEY = ("revenue", "won_amount", "lost_amount", "spend")


def wait_for_metrics(metrics: Service, ledger: Ledger, today: date) -> float:
    """Return when both views equal the ledger and every account is credited to a territory."""
    wanted = ledger.figures()

    def missing() -> str | None:
        for view in ("as_was", "as_is"):
            figures = yearly_figures(metrics, view, today).body
            found = totals_of(figures["totals"])
            different = [name for name in wanted if found[name] != wanted[name]]
            if different:
                name = different[0]
                return f"{name} {view} {found[name]:,} instead of {wanted[name]:,}"
            homeless = totals_of([row for row in figures["rows"] if row["territory_id"] == UNASSIGNED])
            if homeless["orders"]:
                return f"{homeless['orders']:,} orders {view} of accounts without a territory"
        return None

    return wait_until(
        missing, what="metrics and what was posted", seconds=patience(ledger.posted), every=_PAUSE
    )


def wait_for_diffs(assignment: Service, metrics: Service, live_plan_id: str, posted: int) -> float:
    """Return when assignment counts the trailing revenue that metrics counts."""

    def missing() -> str | None:
        known = diffed_revenue(assignment, live_plan_id)
        wanted = totals_of(trailing_figures(metrics, "as_is").body["totals"])["revenue"]
        return None if known == wanted else f"{known:,} USD of {wanted:,} USD known to assignment"

    return wait_until(missing, what="account figures in assignment", seconds=patience(posted), every=_PAUSE)


def diffed_revenue(assignment: Service, plan_id: str) -> Decimal:
    """Return the trailing revenue of all accounts, as a diff of the plan sees it."""
    summary = assignment.get(f"/v1/plans/{plan_id}/diff").body["summary"]
    return sum((Decimal(one["moved"]) + Decimal(one["kept"]) for one in summary["revenue"]), Decimal(0))


def yearly_figures(metrics: Service, view: str, today: date) -> Answer:
    """Return the figures of the year before `today`, for every territory."""
    return _figures(metrics, view, today - timedelta(days=365), today)


def trailing_figures(metrics: Service, view: str) -> Answer:
    """Return the figures of the trailing twelve months: the window of diffs and briefs."""
    today = datetime.now(UTC).date()
    return _figures(metrics, view, a_year_before(today) + timedelta(days=1), today + timedelta(days=1))


def a_year_before(day: date) -> date:
    """Return the same date last year; of a leap day the 28th, as Postgres counts."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def totals_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Add rows up over currencies; the demo knows dollars and what carries no money."""
    return {
        **{name: sum(row[name] for row in rows) for name in COUNTS},
        **{name: sum((Decimal(row[name]) for row in rows), Decimal(0)) for name in MONEY},
    }


def patience(facts: int) -> float:
    """Return how long to wait for so many facts: ten times longer than a slow machine needs."""
    return 90 + facts / 500


def _figures(metrics: Service, view: str, first: date, end: date) -> Answer:
    return metrics.get("/v1/figures", **{"view": view, "from": first.isoformat(), "to": end.isoformat()})
