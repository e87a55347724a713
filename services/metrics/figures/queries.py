"""Figures of territories: one range of the roll-ups' key per territory, whatever the number of facts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.queries import Include, find_asked_territories, find_live_plan
from services.metrics.figures.refusals import TooManyRows
from services.metrics.rollups.figure import SUMS
from services.metrics.rollups.view import RollupView, ViewName
from shared.contracts.identity import ORGANISATION
from shared.db.scope import Scope

Grain = Literal["total", "month", "day"]

MAX_ROWS = 50_000
_PERIOD = {
    "total": "CAST(NULL AS date)",
    "month": "CAST(date_trunc('month', r.day) AS date)",
    "day": "r.day",
}


class Cell(NamedTuple):
    """A territory's figures, own and below, in a period and a currency."""

    territory_id: UUID
    parent_id: UUID | None
    period: date | None
    currency: str
    revenue_minor: int
    orders: int
    leads: int
    opportunities: int
    open_minor: int
    won: int
    won_minor: int
    lost: int
    lost_minor: int
    spend_minor: int
    facts: int


@dataclass(frozen=True, slots=True)
class FiguresAsked:
    """Which figures: a half-open period of UTC days, one territory or all, how fine."""

    view: ViewName
    first_day: date
    end_day: date
    territory_id: UUID | None
    include: Include
    grain: Grain


@dataclass(frozen=True, slots=True)
class Figures:
    """The rows found, their totals, and what they were worked out with."""

    view: ViewName
    rows: list[Cell]
    totals: list[Cell]
    plan_id: UUID | None
    tree_id: UUID | None
    as_of: datetime


def _cells(*, grain: Grain, territories: str) -> str:
    return f"""
    WITH found AS (
        SELECT r.territory_id, {_PERIOD[grain]} AS period, r.currency, {SUMS}
        FROM rollup_days r
        WHERE r.view = :view AND r.day >= :first_day AND r.day < :end_day AND {territories}
        GROUP BY 1, 2, 3 HAVING isum(facts) <> 0
        ORDER BY 2, 1, 3 LIMIT :limit
    )
    SELECT f.territory_id, c.ancestor_id AS parent_id, f.period, f.currency, f.revenue_minor, f.orders, f.leads,
           f.opportunities, f.open_minor, f.won, f.won_minor, f.lost, f.lost_minor, f.spend_minor, f.facts
    FROM found f LEFT JOIN live_closure c ON c.territory_id = f.territory_id AND c.depth = 1
    ORDER BY f.period, f.territory_id, f.currency
    """


_NAMED = "r.territory_id = ANY(CAST(:territories AS uuid[]))"
_ALL = f"r.territory_id <> '{ORGANISATION}'"


async def find_figures(read: AsyncConnection, asked: FiguresAsked, *, scope: Scope) -> Figures:
    """Return figures within the scope. Raises NotFound for a territory outside it, or TooManyRows."""
    territories = await find_asked_territories(
        read, territory_id=asked.territory_id, include=asked.include, scope=scope
    )
    rows = await _find_cells(read, asked, grain=asked.grain, territories=territories.rows)
    if len(rows) > MAX_ROWS:
        raise TooManyRows(
            f"from, to, grain, include: more than {MAX_ROWS} rows; ask for a shorter period, a coarser grain or "
            "fewer territories."
        )
    totals = await _find_cells(read, asked, grain="total", territories=territories.tops)
    live = await find_live_plan(read)
    return Figures(asked.view, rows, _per_currency(totals), live.plan_id, live.tree_id, live.as_of)


async def _find_cells(
    read: AsyncConnection, asked: FiguresAsked, *, grain: Grain, territories: list[UUID] | None
) -> list[Cell]:
    parameters: dict[str, Any] = {
        "view": int(RollupView.named(asked.view)),
        "first_day": asked.first_day,
        "end_day": asked.end_day,
        "limit": MAX_ROWS + 1,
    }
    if territories is not None:
        parameters["territories"] = territories
    statement = text(_cells(grain=grain, territories=_ALL if territories is None else _NAMED))
    return [Cell(*row) for row in await read.execute(statement, parameters)]


def _per_currency(cells: list[Cell]) -> list[Cell]:
    """Add up the cells of several territories that do not contain each other."""
    added: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda cell: cell.currency):
        held = added.get(cell.currency)
        figures = cell[4:] if held is None else tuple(a + b for a, b in zip(held[4:], cell[4:], strict=True))
        added[cell.currency] = Cell(*cell[:4], *figures)
    return list(added.values())
