"""Metrics of territories and reps: sums of the roll-ups, divided only after they are added up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.queries import (
    DEPTH,
    AskedTerritories,
    LivePlan,
    find_asked_territories,
    find_live_plan,
)
from services.metrics.definitions.catalogue import CATALOGUE
from services.metrics.definitions.definition import Definition
from services.metrics.figures.refusals import TooManyRows
from services.metrics.measurements.asked import Cells, MetricsAsked
from services.metrics.measurements.attainment import QUOTA, add_quotas, add_quotas_by_rep
from services.metrics.measurements.cells import GroupBy, cells, split_by_lag
from services.metrics.measurements.measure import Value, currencies_of, measure
from services.metrics.measurements.own_rows import OWN_ROWS
from services.metrics.measurements.periods import Grain, count_periods, periods_between
from services.metrics.measurements.planned import (
    PLANNED,
    PlannedTree,
    find_planned_territories,
    find_preview,
)
from services.metrics.measurements.refusals import UnknownMetric
from services.metrics.rollups.view import RollupView
from shared.contracts.identity import ORGANISATION
from shared.db.scope import Scope
from shared.http.security import OutsideScope

MAX_ROWS = 10_000
_MAX_CELLS = 50_000


@dataclass(frozen=True, slots=True)
class Row:
    """The values of a territory, a rep or all together in a period."""

    key: UUID | None
    period: date | None
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Metrics:
    """The rows, their totals over the whole period, and what they were worked out with."""

    rows: list[Row]
    totals: list[Value]
    live: LivePlan
    planned: PlannedTree | None = None


async def find_metrics(read: AsyncConnection, asked: MetricsAsked, *, scope: Scope) -> Metrics:
    """Return metrics within the scope. Raises NotFound, UnknownMetric, TooManyRows, OutsideScope."""
    definitions = [definition_of(metric_id) for metric_id in dict.fromkeys(asked.metric_ids)]
    if count_periods(asked.first_day, asked.end_day, asked.grain) > MAX_ROWS:
        raise _too_many()
    planned, territories = await _find_territories(read, asked, scope)
    names = {name for definition in definitions for name in definition.figures}
    if "converted" in names:
        names.add("immature_leads")
    tree_id = None if planned is None else planned.tree_id
    whole = await find_cells(read, asked, names, territories, tree_id, group_by="none", grain="total")
    totals = whole.get((None, None), {})
    rows = whole
    if (asked.group_by, asked.grain) != ("none", "total"):
        rows = await find_cells(
            read, asked, names, territories, tree_id, group_by=asked.group_by, grain=asked.grain
        )
    # A currency whose amounts cancel out over the period has them in its rows all the same.
    held = [totals, *rows.values()]
    shown = {one.metric_id: currencies_of(one, held) for one in definitions}

    def values_of(sums: dict[str, dict[str, int]]) -> list[Value]:
        return [value for one in definitions for value in measure(one, sums, shown[one.metric_id])]

    return Metrics(
        rows=[
            Row(key, period, values_of(rows.get((key, period), {}))) for key, period in _filled(rows, asked)
        ],
        totals=values_of(totals),
        live=await find_live_plan(read)
        if planned is None
        else LivePlan(planned.plan_id, planned.tree_id, planned.as_of),
        planned=planned,
    )


async def _find_territories(
    read: AsyncConnection, asked: MetricsAsked, scope: Scope
) -> tuple[PlannedTree | None, AskedTerritories]:
    if asked.plan_id is None:
        return None, await find_asked_territories(
            read, territory_id=asked.territory_id, include=asked.include, scope=scope
        )
    if not scope.everything:
        # A scope is of the tree in force; the plan's may cut it otherwise.
        raise OutsideScope("view: as planned is for callers whose scope is the whole organisation.")
    planned = await find_preview(read, asked.plan_id)
    return planned, await find_planned_territories(
        read, planned, territory_id=asked.territory_id, include=asked.include
    )


def definition_of(metric_id: str) -> Definition:
    """Return what a metric means. Raises UnknownMetric."""
    if metric_id not in CATALOGUE:
        raise UnknownMetric(
            f"metric_id: no metric {metric_id!r}; GET /v1/metric-definitions lists those there are."
        )
    return CATALOGUE[metric_id]


def _filled(rows: Cells, asked: MetricsAsked) -> list[tuple[UUID | None, date | None]]:
    """Return every period of every key, those without facts too, so that no chart skips one."""
    keys = {key for key, _ in rows} or ({None} if asked.group_by == "none" else set())
    periods = periods_between(asked.first_day, asked.end_day, asked.grain)
    if len(keys) * len(periods) > MAX_ROWS:
        raise _too_many()
    in_order = sorted(keys, key=lambda key: (key is None, str(key)))
    return [(key, period) for period in periods for key in in_order]


def _too_many() -> TooManyRows:
    return TooManyRows(
        f"from, to, grain, group_by: more than {MAX_ROWS} rows; ask for a shorter period, a coarser grain or "
        "fewer territories."
    )


async def find_cells(
    read: AsyncConnection,
    asked: MetricsAsked,
    names: Collection[str],
    territories: AskedTerritories,
    tree_id: UUID | None,
    *,
    group_by: GroupBy,
    grain: Grain,
) -> Cells:
    """Return the sums of figures by key and period; `tree_id` is of the plan in as_planned. Raises TooManyRows."""
    by_rep = asked.rep_id is not None or asked.group_by == "rep"
    wanted = _territories(asked, territories, group_by=group_by, by_rep=by_rep)
    as_it_was = by_rep and asked.view == "as_was" and wanted is not None
    found: Cells = {}
    kept = set(names) - {QUOTA}
    for some, lag_days in zip(split_by_lag(kept), (0, asked.lag_days), strict=True):
        if not some:
            continue
        statement = cells(
            some,
            window=asked.window,
            group_by=group_by,
            grain=grain,
            by_rep=by_rep,
            everywhere=wanted is None or as_it_was,
            rows="planned" if tree_id else "own_rows" if as_it_was else "rollup_days",
        )
        parameters = _parameters(asked, wanted, tree_id, lag_days=lag_days, grain=grain, by_rep=by_rep)
        if tree_id is not None:
            statement = f"WITH {PLANNED} {statement}"
        elif as_it_was:
            statement = f"WITH {OWN_ROWS} {statement}"
            include = "subtree" if asked.territory_id is None else asked.include
            parameters |= {"territories": territories.tops, "depth": DEPTH[include]}
        rows = (await read.execute(text(statement), parameters)).all()
        if len(rows) > _MAX_CELLS:
            raise _too_many()
        for key, period, currency, *figures in rows:
            held = found.setdefault((key, period), {}).setdefault(currency, {})
            held.update(zip(some, figures, strict=True))
    if QUOTA in names and by_rep:
        tree = tree_id or (await find_live_plan(read)).tree_id
        await add_quotas_by_rep(read, asked, found, wanted, tree_id=tree, group_by=group_by, grain=grain)
    elif QUOTA in names:
        await add_quotas(read, asked, found, wanted, group_by=group_by, grain=grain)
    return found


def _parameters(
    asked: MetricsAsked,
    wanted: list[UUID] | None,
    tree_id: UUID | None,
    *,
    lag_days: int,
    grain: Grain,
    by_rep: bool,
) -> dict[str, Any]:
    """Return what the statement binds: nothing that it does not name."""
    view = RollupView.AS_IS if asked.view == "as_planned" else RollupView.named(asked.view)
    parameters: dict[str, Any] = {
        "view": int(view),
        "first_day": asked.first_day - timedelta(days=lag_days),
        "end_day": asked.end_day - timedelta(days=lag_days),
        "limit": _MAX_CELLS + 1,
    }
    if grain != "total":
        parameters["lag_days"] = lag_days
    if wanted is not None:
        parameters["territories"] = wanted
    if by_rep:
        parameters["rep_id"] = asked.rep_id
    if tree_id is not None:
        parameters |= {"plan_id": asked.plan_id, "tree_id": tree_id}
    return parameters


def _territories(
    asked: MetricsAsked, territories: AskedTerritories, *, group_by: GroupBy, by_rep: bool
) -> list[UUID] | None:
    """Return whose rows to read, None for all: rows of tops hold what is below them, own rows do not."""
    if by_rep:
        return None if asked.territory_id == ORGANISATION else territories.rows
    return territories.rows if group_by == "territory" else territories.tops
