"""Comparisons of a plan's scenarios over HTTP: computed on each request; nothing is stored."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.design.comparing import queries
from services.assignment.design.comparing.schemas import ComparisonView
from services.assignment.design.runs.routes import WholeReader
from services.assignment.plans.queries import find_plan
from shared.http.commands import Snapshot
from shared.http.problems import describe

router = APIRouter(tags=["design"])

# Beside each other, more than this many say nothing more.
_MOST_COMPARED = 100


@router.get("/v1/plans/{plan_id}/design-comparison", responses=describe(404, 409))
async def get_design_comparison(
    _: WholeReader,
    read: Snapshot,
    plan_id: UUID,
    run_id: Annotated[
        list[UUID] | None,
        Query(
            max_length=_MOST_COMPARED,
            description="Only these runs of the plan; its latest hundred when left out.",
        ),
    ] = None,
) -> ComparisonView:
    """Compare the plan's scenarios that have proposals: balance, travel, disruption, and the Pareto front of the three.

    A run that is named has to be the plan's and have a proposal.
    """
    await find_plan(read, plan_id)
    return ComparisonView.of(plan_id, await queries.compare_runs(read, plan_id, run_id, rows=_MOST_COMPARED))
