"""Spread what was counted by another tree: from the territories' own rows, never from single facts.

Only where a tree changed inside a day are that day's facts looked at, because a row knows no hours.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text

from services.metrics.attribution.credit import TERRITORY_AT
from services.metrics.attribution.tree_periods import BEGINNING, END, TreeShift
from services.metrics.rollups.figure import COUNTED_COLUMNS, SUMS, figures_of, signed_figures
from services.metrics.rollups.queries import find_years
from services.metrics.rollups.roll_up import ROLL_UP
from services.metrics.rollups.view import RollupView
from shared.db.unit_of_work import UnitOfWork

_SHIFT = """
shifts AS (
    SELECT * FROM unnest(
        CAST(:first_day AS date[]), CAST(:end_day AS date[]), CAST(:valid_from AS timestamptz[]),
        CAST(:valid_to AS timestamptz[]), CAST(:from_tree AS uuid[]), CAST(:to_tree AS uuid[])
    ) AS s (first_day, end_day, valid_from, valid_to, from_tree, to_tree)
), moved AS (
    -- Territories whose line is not the same in both trees; a tree that is not known has no lines.
    SELECT DISTINCT s.from_tree, s.to_tree, t.territory_id
    FROM shifts s
    JOIN tree_lines t ON t.tree_id IN (s.from_tree, s.to_tree)
    LEFT JOIN tree_lines a ON a.tree_id = s.from_tree AND a.territory_id = t.territory_id
    LEFT JOIN tree_lines b ON b.tree_id = s.to_tree AND b.territory_id = t.territory_id
    WHERE a.line IS DISTINCT FROM b.line
)
"""

# Whole days, from the rows that say what was credited to a territory itself.
_FROM_OWN_ROWS = text(f"""
WITH {_SHIFT}, own AS (
    SELECT r.view, r.territory_id, s.from_tree, s.to_tree, r.day, r.currency, {SUMS}
    FROM shifts s
    JOIN moved m ON m.from_tree IS NOT DISTINCT FROM s.from_tree AND m.to_tree IS NOT DISTINCT FROM s.to_tree
    JOIN rollup_days r ON r.view = :view AND r.territory_id = m.territory_id AND NOT r.below
        AND r.day >= s.first_day AND r.day < s.end_day
    GROUP BY 1, 2, 3, 4, 5, 6
), deltas AS (
    SELECT o.view, o.territory_id, x.tree_id, o.day, o.currency,
           {signed_figures("o", sign="x.sign")}
    FROM own o CROSS JOIN LATERAL (VALUES (-1, o.from_tree), (1, o.to_tree)) AS x (sign, tree_id)
), {ROLL_UP}
SELECT count(*) FROM own
""")

# The rest of the days in which a shift begins or ends.
_FROM_FACTS = text(f"""
WITH {_SHIFT}, credited AS (
    SELECT {TERRITORY_AT.format(fact="f")} AS territory_id, s.from_tree, s.to_tree,
           {", ".join(f"f.{name}" for name in COUNTED_COLUMNS)}
    FROM shifts s
    JOIN facts f ON f.day >= s.first_day AND f.day < s.end_day
        AND f.occurred_at >= s.valid_from AND f.occurred_at < s.valid_to AND NOT f.voided
), deltas AS (
    SELECT CAST(:view AS int) AS view, c.territory_id, x.tree_id, c.day, c.currency,
           {figures_of("c", sign="x.sign")}
    FROM credited c CROSS JOIN LATERAL (VALUES (-1, c.from_tree), (1, c.to_tree)) AS x (sign, tree_id)
), {ROLL_UP}
SELECT count(*) FROM credited
""")


async def restate_tree_in_force(shifts: Sequence[TreeShift], uow: UnitOfWork) -> None:
    """Spread as_was anew where another tree was in force than thought."""
    await _shift_whole_days(RollupView.AS_WAS, shifts, uow)
    parts = [(day, day + timedelta(days=1), shift) for shift in shifts for day in _partial_days(shift)]
    if parts:
        await uow.connection.execute(_FROM_FACTS, _parameters(RollupView.AS_WAS, parts))


async def restate_live_tree(from_tree: UUID | None, to_tree: UUID | None, uow: UnitOfWork) -> None:
    """Spread as_is anew, all of it, by the tree now in force."""
    await _shift_whole_days(RollupView.AS_IS, [TreeShift(BEGINNING, END, from_tree, to_tree)], uow)


async def _shift_whole_days(view: RollupView, shifts: Sequence[TreeShift], uow: UnitOfWork) -> None:
    for first_day, end_day in await find_years(uow.connection):
        whole = [(max(first_day, _first_whole_day(s)), min(end_day, _end_day(s)), s) for s in shifts]
        if some := [(first, end, shift) for first, end, shift in whole if first < end]:
            await uow.connection.execute(_FROM_OWN_ROWS, _parameters(view, some))


def _parameters(view: RollupView, shifts: Sequence[tuple[date, date, TreeShift]]) -> dict[str, object]:
    return {
        "view": int(view),
        "slot": 0,
        "first_day": [first for first, _, _ in shifts],
        "end_day": [end for _, end, _ in shifts],
        "valid_from": [shift.valid_from for *_, shift in shifts],
        "valid_to": [shift.valid_to for *_, shift in shifts],
        "from_tree": [shift.from_tree for *_, shift in shifts],
        "to_tree": [shift.to_tree for *_, shift in shifts],
    }


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(), tzinfo=moment.tzinfo)


def _first_whole_day(shift: TreeShift) -> date:
    start = shift.valid_from
    return start.date() if start == _midnight(start) else start.date() + timedelta(days=1)


def _end_day(shift: TreeShift) -> date:
    return shift.valid_to.date()


def _partial_days(shift: TreeShift) -> list[date]:
    """Return the days that the shift holds a part of only: its first, its last, or the one it lies in."""
    days = {moment.date() for moment in (shift.valid_from, shift.valid_to) if moment != _midnight(moment)}
    return sorted(days)
