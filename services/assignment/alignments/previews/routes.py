"""Previews of plans over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.alignments.previews.commands import PreviewPlan, preview_plan
from services.assignment.alignments.previews.schemas import PreviewView
from shared.http.commands import RunCommand
from shared.http.security import Planner

router = APIRouter(prefix="/v1/plans/{plan_id}/previews", tags=["diffs"])


@router.post("", status_code=201, response_model=PreviewView)
async def create_preview(by: Planner, run: RunCommand, plan_id: UUID) -> Response:
    """Announce what the plan would change: metrics then tells all figures as planned. The plan stays as it is."""
    return await run.run(
        preview_plan, PreviewPlan(plan_id), by=by, show=PreviewView.model_validate, status=201
    )
