"""Reading plans."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.plans.draft import COLUMNS
from services.assignment.plans.plan import PlanState
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan with the size of what it holds."""

    plan_id: UUID
    name: str
    state: PlanState
    version: int
    based_on_plan_id: UUID | None
    tree_id: UUID | None
    drafted_at: datetime
    drafted_by: str
    activated_at: datetime | None
    retired_at: datetime | None
    territories: int
    rules: int


_SELECT = f"""
SELECT {COLUMNS},
       (SELECT count(*) FROM territories WHERE territories.plan_id = plans.plan_id) AS territories,
       (SELECT count(*) FROM rules WHERE rules.plan_id = plans.plan_id) AS rules
FROM plans
"""
_FIND = text(f"{_SELECT} WHERE plan_id = :plan_id")
_LIST = text(f"""{_SELECT}
WHERE (CAST(:state AS text) IS NULL OR state = :state)
  AND (CAST(:after AS uuid) IS NULL OR plan_id > :after)
ORDER BY plan_id LIMIT :rows
""")


async def find_plan(read: AsyncConnection, plan_id: UUID) -> PlanSummary:
    """Return one plan. Raises NotFound."""
    row = (await read.execute(_FIND, {"plan_id": plan_id})).mappings().one_or_none()
    if row is None:
        raise NotFound("plan_id: there is no such plan.")
    return PlanSummary(**row)


async def list_plans(
    read: AsyncConnection, *, state: PlanState | None, page: PageRequest
) -> list[PlanSummary]:
    """Return plans by id, one more than the page holds."""
    rows = await read.execute(_LIST, {"state": state, "after": page.after, "rows": page.limit + 1})
    return [PlanSummary(**row) for row in rows.mappings()]
