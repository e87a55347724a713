"""Put a plan in force.

The live plan is locked before anything is decided, so two planners who press the button together get one
activation and one refusal, and an import of accounts comes wholly before or wholly after.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.alignments.activations.activation import Activation, check_replaces, choose_instant
from services.assignment.alignments.activations.commands.take_over import take_over
from services.assignment.alignments.commands import next_instant
from services.assignment.plans.commands.revise_draft import lock_plan
from services.assignment.plans.commands.switch_live_plan import lock_live_plan
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ActivatePlan:
    """Make a plan the live one; `replacing_plan_id` names the plan its diff was read against."""

    plan_id: UUID
    expected_version: int
    effective_at: datetime | None = None
    replacing_plan_id: UUID | None = None


async def activate_plan(command: ActivatePlan, uow: UnitOfWork) -> Activation:
    """Put a plan in force, with every move announced in the same transaction.

    Raises PlanAlreadyActive, VersionMismatch, PlanIncomplete, LivePlanChanged, EffectiveAtNotNow, PlanBusy,
    NotFound.
    """
    live = await lock_live_plan(uow)
    plan = await lock_plan(uow, command.plan_id)
    plan.check_activatable(command.expected_version)
    check_replaces(command.replacing_plan_id, live)
    at = choose_instant(command.effective_at, live=live, next_instant=await next_instant(uow))
    return await take_over(uow, plan, live, at)
