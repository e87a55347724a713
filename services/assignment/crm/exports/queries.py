"""Reading what an export holds, as one snapshot has it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.crm.queries import load_references
from services.assignment.crm.salesforce.plan_writer import PlanParts, write_plan
from services.assignment.crm.shapes import System
from services.assignment.plans.queries import PlanSummary
from services.assignment.reps.coverages.coverage import Role
from services.assignment.reps.coverages.queries import list_running
from services.assignment.rules.queries import load_rules
from services.assignment.territories.queries import load_tree


async def read_owners(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, str]:
    """Return the external id of the rep who covers each of these territories at an instant."""
    return {
        covering.territory_id: covering.external_id
        for covering in await list_running(read, territory_ids, role=Role.PRIMARY, at=at)
    }


async def export_plan(
    read: AsyncConnection, plan: PlanSummary, *, at: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return a plan with its territories, rules and coverage at an instant in the shape of Salesforce."""
    tree = await load_tree(read, plan.plan_id)
    territory_ids = [node.territory_id for node in tree.territories]
    parts = PlanParts(
        plan_id=plan.plan_id,
        name=plan.name,
        state=plan.state,
        tree=tree,
        rules=await load_rules(read, plan.plan_id),
        coverages=await list_running(read, territory_ids, at=at),
    )
    return write_plan(parts, await load_references(read, System.SALESFORCE))
