"""The targets that revenue is held against: those of goals that were activated."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.quotas.quota import Target

# A quarter that is part of the year's goal of the same territory is in it already.
_TARGETS = text("""
WITH targets AS (
    SELECT * FROM goals
    WHERE metric_id = 'revenue' AND direction = 'up' AND state IN ('active', 'achieved', 'missed')
)
SELECT t.territory_id, t.currency, t.target, t.first_day, t.end_day FROM targets t
WHERE t.first_day < :end_day AND t.end_day > :first_day
  AND (CAST(:everywhere AS boolean) OR t.territory_id = ANY(CAST(:territories AS uuid[])))
  AND NOT EXISTS (
      SELECT 1 FROM targets w WHERE w.goal_id = t.parent_goal_id AND w.territory_id = t.territory_id
  )
ORDER BY t.goal_id
""")


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
