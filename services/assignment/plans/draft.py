"""Changing a draft: its row is locked first, so two editors of one plan take turns and neither overwrites."""

from uuid import UUID

from sqlalchemy import text

from services.assignment.plans.plan import Plan, PlanState
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

COLUMNS = "plan_id, name, state, version, based_on_plan_id, tree_id, drafted_at, drafted_by, activated_at, retired_at"
_LOCK = text(f"SELECT {COLUMNS} FROM plans WHERE plan_id = :plan_id FOR UPDATE")
_BUMP = text("UPDATE plans SET version = version + 1 WHERE plan_id = :plan_id RETURNING version")


async def lock_plan(uow: UnitOfWork, plan_id: UUID) -> Plan:
    """Return the plan and hold it until the transaction ends. Raises NotFound."""
    row = (await uow.connection.execute(_LOCK, {"plan_id": plan_id})).mappings().one_or_none()
    if row is None:
        raise NotFound("plan_id: there is no such plan.")
    return Plan(**{**row, "state": PlanState(row["state"])})


async def revise_draft(uow: UnitOfWork, plan_id: UUID, *, expected_version: int) -> int:
    """Begin a change of a draft and return the version it will have.

    Raises NotFound, PlanNotDraft or VersionMismatch.
    """
    plan = await lock_plan(uow, plan_id)
    plan.check_editable(expected_version)
    version: int = (await uow.connection.execute(_BUMP, {"plan_id": plan_id})).scalar_one()
    return version
