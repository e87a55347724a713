"""Diffs of plans over HTTP: computed on each request; nothing is stored."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.alignments.diffs import queries
from services.assignment.alignments.diffs.schemas import PlanDiffView
from services.assignment.alignments.diffs.turns import Turn
from shared.http.commands import Snapshot
from shared.http.etags import etag_of
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["diffs"])


@router.get("/diff")
async def get_diff(
    by: Reader, _: Turn, read: Snapshot, now: Now, response: Response, plan_id: UUID
) -> PlanDiffView:
    """Tell what would change if the plan went live now: accounts and money gained, lost and kept."""
    diff = await queries.diff_plan(read, plan_id, at=now, scope=by.scope)
    response.headers["etag"] = etag_of(diff.version)
    return PlanDiffView.of(diff)
