"""The alignment history of accounts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.alignments.queries import list_periods
from services.assignment.alignments.schemas import AlignmentView, HistoryView
from shared.http.bodies import Instant
from shared.http.commands import Snapshot
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts", tags=["alignments"])

# An account that is moved every week for ten years has this many.
MAX_PERIODS = 500


@router.get("/{account_id}/alignments")
async def list_alignments(
    by: Reader,
    read: Snapshot,
    account_id: UUID,
    at: Annotated[Instant | None, Query(description="Only the period that holds this instant.")] = None,
) -> HistoryView:
    """Return where an account belonged and belongs: its latest 500 periods, the open one last."""
    periods = await list_periods(read, account_id, at=at, scope=by.scope, rows=MAX_PERIODS)
    return HistoryView(account_id=account_id, items=[AlignmentView.model_validate(one) for one in periods])
