"""Take the live plan back: the one before it is matched anew and in force again."""

from dataclasses import dataclass
from uuid import UUID

from services.assignment.alignments.activations.activation import Activation
from services.assignment.alignments.activations.commands.take_over import take_over
from services.assignment.alignments.activations.queries import find_previous_plan
from services.assignment.alignments.activations.refusals import NothingToRollBack, PlanNotLive
from services.assignment.alignments.commands import next_instant
from services.assignment.plans.commands.revise_draft import lock_plan
from services.assignment.plans.commands.switch_live_plan import lock_live_plan
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RollBackPlan:
    """Take the live plan back: the one before it becomes the live one again."""

    plan_id: UUID


async def roll_back_plan(command: RollBackPlan, uow: UnitOfWork) -> Activation:
    """Put the plan before the live one in force again.

    Raises PlanNotLive, NothingToRollBack, PlanBusy, NotFound.
    """
    live = await lock_live_plan(uow)
    await lock_plan(uow, command.plan_id)
    if live.plan_id != command.plan_id:
        raise PlanNotLive("plan_id: the plan is not in force, so there is nothing to take back.")
    previous_id = await find_previous_plan(uow.connection, live)
    if previous_id is None:
        raise NothingToRollBack("plan_id: no plan was in force before this one.")
    # No gate: the way back is always open.
    taken = await take_over(uow, await lock_plan(uow, previous_id), live, await next_instant(uow))
    return taken.activation
