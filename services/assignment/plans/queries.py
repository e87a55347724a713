"""Reading plans, and which of them is live."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.plans.plan import LivePlan, PlanState
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


COLUMNS = "plan_id, name, state, version, based_on_plan_id, tree_id, drafted_at, drafted_by, activated_at, retired_at"
SELECT_LIVE_PLAN = "SELECT plan_id, activation_id, sequence FROM live_plan"

_SELECT = f"""
SELECT {COLUMNS}, territories, rules
FROM plans JOIN plan_sizes USING (plan_id)
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


async def read_live_plan(read: AsyncConnection) -> LivePlan:
    """Return what is in force in this snapshot."""
    return LivePlan(*(await read.execute(text(SELECT_LIVE_PLAN))).one())
