"""Hold a plan while it changes: two editors of one draft take turns, and neither overwrites the other."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.plans.commands.wait_for_lock import wait_for_lock
from services.assignment.plans.plan import Plan, PlanState
from services.assignment.plans.queries import COLUMNS
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

_LOCK = text(f"SELECT {COLUMNS} FROM plans WHERE plan_id = :plan_id FOR UPDATE")
_BUMP = text("UPDATE plans SET version = version + 1 WHERE plan_id = :plan_id RETURNING version")


@dataclass(frozen=True, slots=True)
class DraftAsRead:
    """The draft that a change is meant for, at the version its editor has read."""

    plan_id: UUID
    version: int


async def lock_plan(uow: UnitOfWork, plan_id: UUID) -> Plan:
    """Return the plan and hold it until the transaction ends. Raises NotFound or PlanBusy."""
    async with wait_for_lock("The plan is being changed, copied or put in force by another request"):
        found = await uow.connection.execute(_LOCK, {"plan_id": plan_id})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("plan_id: there is no such plan.")
    return Plan(**{**row, "state": PlanState(row["state"])})


async def revise_draft(uow: UnitOfWork, draft: DraftAsRead) -> int:
    """Begin a change of a draft and return the version it will have.

    Raises NotFound, PlanNotDraft, VersionMismatch or PlanBusy.
    """
    await hold_draft(uow, draft)
    return await raise_version(uow, draft.plan_id)


async def hold_draft(uow: UnitOfWork, draft: DraftAsRead) -> None:
    """Hold a draft until the transaction ends, for a change that may come to nothing; raises as revise_draft does."""
    plan = await lock_plan(uow, draft.plan_id)
    plan.check_editable(draft.version)


async def raise_version(uow: UnitOfWork, plan_id: UUID) -> int:
    """Return the version of a draft that is held, and has changed."""
    version: int = (await uow.connection.execute(_BUMP, {"plan_id": plan_id})).scalar_one()
    return version
