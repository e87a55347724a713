"""The targets that revenue is held against: those of goals that were activated."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.quotas.quota import CoveredDays, Target

IS_QUOTA = """(
    g.metric_id = 'revenue' AND g.direction = 'up' AND NOT g.stretch AND g.state IN ('active', 'achieved', 'missed')
)"""
"""SQL: whether the target of a goal `g` is the quota of its territory."""

# A quarter that is part of the year's goal of the same territory is in it already, and so are its months, whatever
# became of the quarter.
_TARGETS = text(f"""
WITH RECURSIVE targets AS (
    SELECT * FROM goals g
    WHERE {IS_QUOTA} AND g.first_day < :end_day AND g.end_day > :first_day
      AND (CAST(:everywhere AS boolean) OR g.territory_id = ANY(CAST(:territories AS uuid[])))
), above AS (
    SELECT goal_id, parent_goal_id AS above_id FROM targets
    UNION
    SELECT a.goal_id, g.parent_goal_id FROM above a JOIN goals g ON g.goal_id = a.above_id
)
SELECT t.territory_id, t.currency, t.target, t.first_day, t.end_day FROM targets t
WHERE NOT EXISTS (
    SELECT 1 FROM above a JOIN goals g ON g.goal_id = a.above_id
    WHERE a.goal_id = t.goal_id AND {IS_QUOTA} AND g.territory_id = t.territory_id AND g.currency = t.currency
      AND g.first_day < t.end_day AND g.end_day > t.first_day
)
ORDER BY t.goal_id
""")


# A day is that of the rep who covers the territory when it ends, as for what was sold on it.
_COVERED = text("""
SELECT territory_id, rep_id, CAST(valid_from AT TIME ZONE 'UTC' AS date) AS first_day,
       CAST(valid_to AT TIME ZONE 'UTC' AS date) AS end_day
FROM coverages WHERE role = 'primary' AND valid_from IS NOT NULL
  AND territory_id = ANY(CAST(:territories AS uuid[]))
ORDER BY territory_id, valid_from DESC, coverage_id
""")
_WITH_OTHERS_BELOW = text("""
SELECT DISTINCT ancestor_id FROM tree_closure
WHERE tree_id = :tree_id AND depth > 0 AND ancestor_id = ANY(CAST(:territories AS uuid[]))
""")


async def find_covered_days(
    read: AsyncConnection, territories: Collection[UUID]
) -> dict[UUID, list[CoveredDays]]:
    """Return who covers each of the territories as primary, on which days."""
    found: dict[UUID, list[CoveredDays]] = {}
    for row in await read.execute(_COVERED, {"territories": list(territories)}):
        found.setdefault(row.territory_id, []).append(CoveredDays(row.rep_id, row.first_day, row.end_day))
    return found


async def find_with_others_below(
    read: AsyncConnection, territories: Collection[UUID], *, tree_id: UUID | None
) -> frozenset[UUID]:
    """Return those of the territories that have territories below them in a tree."""
    binds = {"tree_id": tree_id, "territories": list(territories)}
    return frozenset((await read.execute(_WITH_OTHERS_BELOW, binds)).scalars())


async def find_targets(
    read: AsyncConnection, territories: Sequence[UUID] | None, *, first_day: date, end_day: date
) -> list[Target]:
    """Return the targets of these territories (None: of all) that reach into the period."""
    names = {
        "everywhere": territories is None,
        "territories": list(territories or ()),
        "first_day": first_day,
        "end_day": end_day,
    }
    return [Target(*row) for row in await read.execute(_TARGETS, names)]
