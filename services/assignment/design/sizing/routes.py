"""Sizings of plans over HTTP: computed on each request; nothing is stored."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.design.runs.routes import WholeReader
from services.assignment.design.sizing import queries
from services.assignment.design.sizing.schemas import SizingQuery, SizingView
from services.assignment.design.sizing.turns import SizingTurn
from shared.http.commands import Snapshot
from shared.http.present import Now
from shared.http.problems import describe

router = APIRouter(tags=["design"])


@router.get("/v1/plans/{plan_id}/design-sizing", responses=describe(404, 409, 503))
async def get_design_sizing(
    _: WholeReader,
    __: SizingTurn,
    read: Snapshot,
    now: Now,
    plan_id: UUID,
    query: Annotated[SizingQuery, Query()],
) -> SizingView:
    """Tell how many full-time reps, and territories, the accounts' work takes, beside what the plan has.

    Territories themselves are the plan's leaves: draw as many as you want, then ask for a run.
    """
    asked = query.asked()
    return SizingView.of(plan_id, asked, await queries.size_plan(read, plan_id, asked, at=now))
