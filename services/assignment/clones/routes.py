"""Clones of plans over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.clones.commands import ClonePlan, clone_plan
from services.assignment.plans.schemas import DraftPlanBody, PlanView
from shared.http.commands import RunCommand
from shared.http.problems import describe
from shared.http.security import Planner

router = APIRouter(prefix="/v1/plans/{plan_id}/clones", tags=["plans"])


@router.post("", status_code=201, response_model=PlanView, responses=describe(409))
async def create_clone(by: Planner, run: RunCommand, plan_id: UUID, body: DraftPlanBody) -> Response:
    """Start a draft from this plan: same tree, rules, pins and placements, same ids."""
    return await run.run(
        clone_plan,
        ClonePlan(source_id=plan_id, name=body.name, plan_id=body.plan_id),
        by=by,
        show=PlanView.model_validate,
        status=201,
        version=lambda plan: plan.version,
        location=lambda plan: f"/v1/plans/{plan.plan_id}",
    )
