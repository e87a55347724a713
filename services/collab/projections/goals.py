"""Which territory a goal is of, from what metrics tells of goals; it never changes once a goal is active."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from shared.db.unit_of_work import UnitOfWork

_KEEP = text("""
INSERT INTO goals (goal_id, territory_id)
SELECT * FROM unnest(CAST(:goals AS uuid[]), CAST(:territories AS uuid[])) ORDER BY 1
ON CONFLICT DO NOTHING
""")


async def keep_goals(goals: Collection[tuple[UUID, UUID]], uow: UnitOfWork) -> None:
    """Keep goals with their territories."""
    names = {"goals": [goal for goal, _ in goals], "territories": [territory for _, territory in goals]}
    await uow.connection.execute(_KEEP, names)
