"""Start a new, empty plan."""

from dataclasses import dataclass
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
