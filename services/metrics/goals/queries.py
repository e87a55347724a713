"""Reading goals of the territories a caller may see."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.goals.goal import Goal
from services.metrics.goals.smart import Surroundings
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import GoalTerms
from services.metrics.goals.values import read_history
from services.metrics.quotas.queries import IS_QUOTA
from shared.db.scope import Scope, require_in_scope
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
# UNION and not UNION ALL: drafts may name each other, and the walk must end all the same.
_ABOVE = """
above AS (
    SELECT CAST(:parent_goal_id AS uuid) AS goal_id
    UNION
    SELECT g.parent_goal_id FROM above JOIN goals g USING (goal_id)
    WHERE g.parent_goal_id IS NOT NULL AND {through}
)
"""
_OWN_ANCESTOR = text(
    f"WITH RECURSIVE {_ABOVE.format(through='true')} SELECT :goal_id IN (SELECT goal_id FROM above)"
)
# In every view: a territory has one quota, which revenue is held against however it is credited. What is part of
# another by way of a draft may not be tomorrow: a draft can be given another parent.
_FIRM = "g.state <> 'draft'"
_RIVAL = text(f"""
WITH RECURSIVE {_ABOVE.format(through=_FIRM)}, below AS (
    SELECT CAST(:goal_id AS uuid) AS goal_id
    UNION
    SELECT g.goal_id FROM below JOIN goals g ON g.parent_goal_id = below.goal_id AND {_FIRM}
)
SELECT g.goal_id FROM goals g
WHERE {IS_QUOTA} AND g.territory_id = :territory_id AND g.currency = :currency
  AND g.first_day < :end_day AND g.end_day > :first_day
  AND g.goal_id NOT IN (SELECT goal_id FROM below)
  AND NOT EXISTS (SELECT 1 FROM above WHERE above.goal_id = g.goal_id)
ORDER BY g.goal_id LIMIT 1
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
    """Return a page of goals, and one more if there is one. Raises NotFound for a territory outside the scope."""
    await require_in_scope(read, asked.territory_id, scope)
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
    connection: AsyncConnection, goal_id: UUID, terms: GoalTerms, *, today: date, scope: Scope
) -> Surroundings:
    """Return what a goal is judged by. Raises NotFound for a parent out of scope."""
    around = Surroundings(
        today,
        await read_history(connection, terms, today=today),
        rival=await _find_rival(connection, goal_id, terms) if terms.is_quota else None,
    )
    if terms.parent_goal_id is None:
        return around
    names = {"goal_id": goal_id, "parent_goal_id": terms.parent_goal_id}
    own = (await connection.execute(_OWN_ANCESTOR, names)).scalar_one()
    try:
        parent = (await find_goal(connection, terms.parent_goal_id, scope=scope)).goal
    except NotFound:
        raise NotFound("parent_goal_id: no such goal.") from None
    return replace(around, parent=parent.terms, parent_state=parent.state, is_own_ancestor=own)


async def _find_rival(connection: AsyncConnection, goal_id: UUID, terms: GoalTerms) -> UUID | None:
    names = {
        name: getattr(terms, name)
        for name in ("parent_goal_id", "territory_id", "currency", "first_day", "end_day")
    }
    found = await connection.execute(_RIVAL, {"goal_id": goal_id, **names})
    rival: UUID | None = found.scalar_one_or_none()
    return rival


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
