"""Figures as a plan would have them: what is, and the facts of the accounts that would move, credited there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.credit import TERRITORY_NOW
from services.metrics.attribution.queries import DEPTH, AskedTerritories, Include
from services.metrics.rollups.figure import FIGURES, NAMES, figures_of
from services.metrics.rollups.view import RollupView
from shared.contracts.identity import ORGANISATION, UNASSIGNED
from shared.runtime.refusals import NotFound

# The rows that `rollup_days` would have, of the days asked for, had the plan been in force. Only own rows are
# taken from the roll-ups: what lies above them follows from the plan's tree, which may be another.
PLANNED = f"""
moved AS (
    SELECT {TERRITORY_NOW.format(fact="f")} AS from_id, m.territory_id AS to_id, f.*
    FROM planned_moves m JOIN facts f ON f.account_id = m.account_id
    WHERE m.plan_id = :plan_id AND NOT f.voided AND f.day >= :first_day AND f.day < :end_day
), own AS (
    SELECT territory_id, day, currency, {NAMES} FROM rollup_days
    WHERE view = {RollupView.AS_IS:d} AND NOT below AND day >= :first_day AND day < :end_day
    UNION ALL
    SELECT from_id, day, currency, {figures_of("moved", sign="-1")} FROM moved
    UNION ALL
    SELECT to_id, day, currency, {figures_of("moved", sign="1")} FROM moved
), summed AS (
    SELECT territory_id, day, currency, {", ".join(f"isum({name}) AS {name}" for name in FIGURES)}
    FROM own GROUP BY 1, 2, 3
), planned AS (
    SELECT CAST(:view AS smallint) AS view, line.territory_id, s.day, s.currency,
           line.territory_id <> s.territory_id AS below, {", ".join(f"s.{name}" for name in FIGURES)}
    FROM summed s
    LEFT JOIN tree_lines l ON l.tree_id = :tree_id AND l.territory_id = s.territory_id
    CROSS JOIN LATERAL unnest(coalesce(l.line, ARRAY[s.territory_id, CAST('{ORGANISATION}' AS uuid)]))
        AS line (territory_id)
)
"""
_FIND = text("""
SELECT plan_id, plan_version, tree_id, previewed_at, now() AS as_of FROM plan_previews
WHERE plan_id = :plan_id AND parts_seen = parts
""")
_KNOWN = text(f"""
SELECT CAST(:territory_id AS uuid) IN ('{UNASSIGNED}', '{ORGANISATION}')
    OR EXISTS (SELECT 1 FROM tree_lines WHERE tree_id = :tree_id AND territory_id = :territory_id)
""")
_BELOW = text("""
SELECT territory_id FROM tree_closure
WHERE tree_id = :tree_id AND ancestor_id = :territory_id AND depth <= :depth
""")


@dataclass(frozen=True, slots=True)
class PlannedTree:
    """A plan that was previewed, and what it was then."""

    plan_id: UUID
    plan_version: int
    tree_id: UUID
    previewed_at: datetime
    as_of: datetime


async def find_preview(read: AsyncConnection, plan_id: UUID) -> PlannedTree:
    """Return the latest preview of a plan. Raises NotFound while none has arrived whole."""
    row = (await read.execute(_FIND, {"plan_id": plan_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(
            "plan_id: no preview of this plan has arrived; POST /v1/plans/{plan_id}/previews at assignment."
        )
    return PlannedTree(**row)


async def find_planned_territories(
    read: AsyncConnection, planned: PlannedTree, *, territory_id: UUID | None, include: Include
) -> AskedTerritories:
    """Return whose figures to read, by the plan's tree. Raises NotFound for a territory it does not have."""
    if territory_id is None:
        return AskedTerritories(rows=None, tops=[ORGANISATION])
    names = {"territory_id": territory_id, "tree_id": planned.tree_id}
    if not (await read.execute(_KNOWN, names)).scalar():
        raise NotFound("territory_id: the plan has no such territory.")
    below = await read.execute(_BELOW, {**names, "depth": DEPTH[include]})
    return AskedTerritories(rows=sorted({territory_id, *below.scalars()}), tops=[territory_id])
