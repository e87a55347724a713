"""Reading goals of the territories a caller may see."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.goals.goal import Goal, GoalState
from services.metrics.goals.smart import Surroundings
from services.metrics.goals.terms import GoalTerms
from services.metrics.goals.values import read_history
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

TERMS = tuple(field.name for field in fields(GoalTerms))
COLUMNS = f"goal_id, state, version, {', '.join(TERMS)}, created_at, created_by, history, checked_at, at_risk, settled_value"


@dataclass(frozen=True, slots=True)
class GoalFound:
    """A goal, who set it, and what the worker saw last."""

    goal: Goal
    created_at: datetime
    created_by: str
    history: list[Decimal]
    checked_at: datetime | None
    at_risk: bool
    settled_value: Decimal | None


_VISIBLE = Scope.covers("g.territory_id")
_ONE = f"SELECT {COLUMNS} FROM goals g WHERE g.goal_id = :goal_id AND {_VISIBLE}"
_FIND, _LOCK = text(_ONE), text(f"{_ONE} FOR NO KEY UPDATE")
_LIST = text(f"""
SELECT {COLUMNS} FROM goals g
WHERE {_VISIBLE}
  AND (CAST(:territory_id AS uuid) IS NULL OR g.territory_id = :territory_id)
  AND (CAST(:state AS text) IS NULL OR g.state = :state)
  AND (CAST(:at_risk AS boolean) IS NULL OR g.at_risk = :at_risk)
  AND (CAST(:after AS uuid) IS NULL OR g.goal_id > :after)
ORDER BY g.goal_id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class GoalsAsked:
    """Which goals; None does not narrow."""

    territory_id: UUID | None
    state: GoalState | None
    at_risk: bool | None


async def find_goal(
    connection: AsyncConnection, goal_id: UUID, *, scope: Scope, lock: bool = False
) -> GoalFound:
    """Return a goal, held for a change if asked. Raises NotFound."""
    names = {"goal_id": goal_id, **scope.parameters()}
    row = (await connection.execute(_LOCK if lock else _FIND, names)).one_or_none()
    if row is None:
        raise NotFound("goal_id: no such goal.")
    return goal_of(row)


async def list_goals(
    read: AsyncConnection, asked: GoalsAsked, *, page: PageRequest, scope: Scope
) -> list[GoalFound]:
    """Return a page of goals, and one more if there is one."""
    names: dict[str, Any] = {
        "territory_id": asked.territory_id,
        "state": asked.state,
        "at_risk": asked.at_risk,
        "after": page.after,
        "limit": page.limit + 1,
        **scope.parameters(),
    }
    return [goal_of(row) for row in await read.execute(_LIST, names)]


async def find_surroundings(
    connection: AsyncConnection, terms: GoalTerms, *, today: date, scope: Scope
) -> Surroundings:
    """Return what a goal is judged by. Raises NotFound for a parent out of scope."""
    history = await read_history(connection, terms, today=today)
    if terms.parent_goal_id is None:
        return Surroundings(today, history)
    try:
        parent = (await find_goal(connection, terms.parent_goal_id, scope=scope)).goal
    except NotFound:
        raise NotFound("parent_goal_id: no such goal.") from None
    return Surroundings(today, history, parent.terms, parent_runs=parent.state is GoalState.ACTIVE)


def goal_of(row: Row[Any]) -> GoalFound:
    """Return a row as a goal."""
    terms = GoalTerms(**{name: getattr(row, name) for name in TERMS})
    return GoalFound(
        Goal(row.goal_id, terms, GoalState(row.state), row.version),
        row.created_at,
        row.created_by,
        row.history,
        row.checked_at,
        row.at_risk,
        row.settled_value,
    )
