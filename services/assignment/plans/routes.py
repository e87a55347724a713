"""Plans over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.assignment.plans import queries
from services.assignment.plans.commands.draft_plan import DraftPlan, draft_plan
from services.assignment.plans.plan import PlanState
from services.assignment.plans.revisions import PlanRead
from services.assignment.plans.schemas import DraftPlanBody, PlanView
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Planner, Reader

router = APIRouter(prefix="/v1/plans", tags=["plans"])


@router.post("", status_code=201, response_model=PlanView, responses=describe(409))
async def create_plan(by: Planner, run: RunCommand, body: DraftPlanBody) -> Response:
    """Start an empty draft. To start from a plan that stands, clone it instead."""
    return await run.run(
        draft_plan,
        DraftPlan(name=body.name, plan_id=body.plan_id),
        by=by,
        show=PlanView.model_validate,
        status=201,
        version=lambda plan: plan.version,
        location=lambda plan: f"/v1/plans/{plan.plan_id}",
    )


@router.get("")
async def list_plans(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    state: Annotated[PlanState | None, Query(description="Only plans in this state.")] = None,
) -> Page[PlanView]:
    """List plans, oldest first."""
    found, cursor = page_of(
        await queries.list_plans(read, state=state, page=page), page, lambda plan: plan.plan_id
    )
    return Page(items=[PlanView.of(plan, by) for plan in found], next_cursor=cursor)


@router.get("/{plan_id}")  # noqa: FAST003 - PlanRead takes it
async def get_plan(by: Reader, plan: PlanRead) -> PlanView:
    """Return one plan with its version (ETag), which every change to it wants back in If-Match."""
    return PlanView.of(plan, by)
