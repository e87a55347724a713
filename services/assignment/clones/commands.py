"""Clone a plan: a new draft with all that it consists of, so that the two compare.

Beside plans and not in it: territories, rules and the others call plans, and this calls all of them.
"""

from dataclasses import dataclass
from uuid import UUID

from services.assignment.certifications.commands import copy_requirements
from services.assignment.pins.commands import copy_pins
from services.assignment.placements.commands import copy_placements
from services.assignment.plans.commands.draft_plan import DraftPlan, draft_plan
from services.assignment.plans.commands.revise_draft import lock_plan
from services.assignment.plans.queries import PlanSummary, find_plan
from services.assignment.rules.commands import copy_rules
from services.assignment.territories.commands.copy_tree import copy_tree
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ClonePlan:
    """Start a draft from a plan in any state."""

    source_id: UUID
    name: str
    plan_id: UUID | None = None


async def clone_plan(command: ClonePlan, uow: UnitOfWork) -> PlanSummary:
    """Copy tree, requirements, rules, pins and placements into a new draft. Raises NotFound, PlanExists, PlanBusy."""
    # A draft may be changing: its lock makes the copy one version of it and not a mix of two.
    source = await lock_plan(uow, command.source_id)
    clone = await draft_plan(
        DraftPlan(name=command.name, plan_id=command.plan_id, based_on_plan_id=source.plan_id), uow
    )
    await copy_tree(uow, source=source.plan_id, target=clone.plan_id)
    await copy_requirements(uow, source=source.plan_id, target=clone.plan_id)
    await copy_rules(uow, source=source.plan_id, target=clone.plan_id)
    await copy_pins(uow, source=source.plan_id, target=clone.plan_id)
    await copy_placements(uow, source=source.plan_id, target=clone.plan_id)
    return await find_plan(uow.connection, clone.plan_id)
