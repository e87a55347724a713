"""Fit over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.alignments.fit.queries import find_fit
from services.assignment.alignments.fit.schemas import FitView
from shared.http.commands import Snapshot
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts", tags=["fit"])


@router.get("/{account_id}/fit")
async def get_fit(
    by: Reader,
    read: Snapshot,
    now: Now,
    account_id: UUID,
    plan_id: Annotated[
        UUID | None, Query(description="Where this plan would send the account; the live one when left out.")
    ] = None,
) -> FitView:
    """Tell how well the reps who cover an account fit it: by language, industry and needs, each part explained."""
    return FitView.of(await find_fit(read, account_id, plan_id=plan_id, at=now, scope=by.scope))
