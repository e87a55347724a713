"""The SQL that adds up figures of the roll-ups by territory, rep and period."""

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Literal

from services.metrics.measurements.periods import Grain
from services.metrics.rollups.figure import FIGURES
from shared.contracts.identity import ORGANISATION

GroupBy = Literal["none", "territory", "rep"]


class Window(IntEnum):
    """How many days a lead may take to convert: those that are kept in the roll-ups."""

    WEEK = 7
    MONTH = 30
    QUARTER = 90


_DAY = "(r.day + CAST(:lag_days AS int))"
_PERIOD = {
    "total": "CAST(NULL AS date)",
    "day": _DAY,
    **{
        grain: f"CAST(date_trunc('{grain}', CAST({_DAY} AS timestamp)) AS date)"
        for grain in ("year", "quarter", "month", "week")
    },
}
_KEY = {"none": "CAST(NULL AS uuid)", "territory": "r.territory_id", "rep": "c.rep_id"}
# A territory's day belongs to the rep who covers it when the day ends; days are exact, so nothing is split.
_COVERED = """
LEFT JOIN LATERAL (
    SELECT k.rep_id FROM coverages k
    WHERE k.territory_id = r.territory_id AND k.role = 'primary'
      AND k.valid_from < CAST(r.day + 1 AS timestamp) AT TIME ZONE 'UTC'
      AND (k.valid_to IS NULL OR k.valid_to >= CAST(r.day + 1 AS timestamp) AT TIME ZONE 'UTC')
    ORDER BY k.valid_from DESC, k.coverage_id LIMIT 1
) c ON true
"""
_LAGGED = {"lagged_spend_minor": "spend_minor", "lagged_paid_spend_minor": "paid_spend_minor"}


def split_by_lag(names: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the figures of the period itself, and those of the period moved back."""
    return sorted(set(names) - _LAGGED.keys()), sorted(set(names) & _LAGGED.keys())


def cells(
    names: Collection[str],
    *,
    window: Window,
    group_by: GroupBy,
    grain: Grain,
    by_rep: bool,
    everywhere: bool,
    rows: str = "rollup_days",
) -> str:
    """Return the query: figures by key, period and currency, of the roll-ups or `rows` like theirs.

    By rep, only what is credited to territories themselves is read: each row then has one rep at most, and the
    rows add up to everything.
    """
    sums = _sums(window)
    conditions = ["r.view = :view", "r.day >= :first_day", "r.day < :end_day"]
    if by_rep:
        conditions.append("NOT r.below AND (CAST(:rep_id AS uuid) IS NULL OR c.rep_id = :rep_id)")
    if not everywhere:
        conditions.append("r.territory_id = ANY(CAST(:territories AS uuid[]))")
    elif not by_rep:
        conditions.append(f"r.territory_id <> '{ORGANISATION}'")
    return f"""
    SELECT {_KEY[group_by]} AS key, {_PERIOD[grain]} AS period, r.currency,
           {", ".join(f"{sums[name]} AS {name}" for name in names)}
    FROM {rows} r {_COVERED if by_rep else ""}
    WHERE {" AND ".join(conditions)}
    GROUP BY 1, 2, 3 LIMIT :limit
    """


def _sums(window: Window) -> Mapping[str, str]:
    # Leads of days so late that their window is still open: those of a day have until the same hour, days later.
    today = "CAST(now() AT TIME ZONE 'UTC' AS date)"
    return {
        **{name: f"isum(r.{name})" for name in FIGURES},
        **{lagged: f"isum(r.{name})" for lagged, name in _LAGGED.items()},
        "converted": f"isum(r.converted_{window:d})",
        "immature_leads": f"coalesce(isum(r.leads) FILTER (WHERE r.day >= {today} - {window:d}), 0)",
    }
