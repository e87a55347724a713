"""Creating plans, and moving them through their states."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.plans.plan import Plan, PlanState
from services.assignment.plans.refusals import PlanExists
from shared.contracts.assignment import PlanDrafted
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_INSERT = text("""
INSERT INTO plans (plan_id, name, state, version, based_on_plan_id, drafted_at, drafted_by)
VALUES (:plan_id, :name, 'draft', 1, :based_on_plan_id, :now, :actor)
ON CONFLICT (plan_id) DO NOTHING RETURNING plan_id
""")
_RETIRE = text("""
UPDATE plans SET state = 'retired', retired_at = :at, version = version + 1 WHERE plan_id = :plan_id
""")
_ACTIVATE = text("""
UPDATE plans
SET state = 'active', activated_at = :effective_at, retired_at = NULL, tree_id = :tree_id,
    version = version + 1
WHERE plan_id = :plan_id RETURNING version
""")


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """Start a new plan; `plan_id` is chosen here unless the caller brings one."""

    name: str
    plan_id: UUID | None = None
    based_on_plan_id: UUID | None = None


async def draft_plan(command: DraftPlan, uow: UnitOfWork) -> Plan:
    """Create an empty draft. Raises PlanExists."""
    plan = Plan(
        plan_id=command.plan_id or new_id(),
        name=command.name,
        state=PlanState.DRAFT,
        version=1,
        based_on_plan_id=command.based_on_plan_id,
        tree_id=None,
        drafted_at=uow.now,
        drafted_by=uow.actor,
    )
    found = await uow.connection.execute(
        _INSERT,
        {
            "plan_id": plan.plan_id,
            "name": plan.name,
            "based_on_plan_id": plan.based_on_plan_id,
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    if found.first() is None:
        raise PlanExists("plan_id: a plan has this id already; leave it out to get a new one.")
    uow.outbox.add(
        PlanDrafted(plan_id=plan.plan_id, based_on_plan_id=plan.based_on_plan_id, drafted_at=uow.now)
    )
    return plan


async def retire_plan(uow: UnitOfWork, plan_id: UUID, *, at: datetime) -> None:
    """Write down that a plan is no longer the live one, from the instant at which the next takes over."""
    await uow.connection.execute(_RETIRE, {"plan_id": plan_id, "at": at})


async def put_plan_in_force(uow: UnitOfWork, plan_id: UUID, *, effective_at: datetime, tree_id: UUID) -> int:
    """Write down that a plan is the live one, and return its version."""
    version: int = (
        await uow.connection.execute(
            _ACTIVATE, {"plan_id": plan_id, "effective_at": effective_at, "tree_id": tree_id}
        )
    ).scalar_one()
    return version
