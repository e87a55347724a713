"""The alignment history of accounts over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.assignment.accounts.schemas import Cause, GapReason
from services.assignment.alignments.queries import list_periods
from services.assignment.instants import Instant
from shared.http.bodies import View
from shared.http.commands import Snapshot
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts", tags=["alignments"])

# An account that is moved every week for ten years has this many.
MAX_PERIODS = 500


class AlignmentView(View):
    """Where an account belonged in a period, and why."""

    territory_id: UUID | None = Field(description="Null: a gap; `reason` tells why.")
    plan_id: UUID
    rule_id: UUID | None
    cause: Cause
    reason: GapReason | None
    activation_id: UUID | None = Field(description="Null when the account itself changed, not the plan.")
    valid_from: datetime
    valid_to: datetime | None = Field(description="Null while the period lasts.")
    recorded_at: datetime


class HistoryView(View):
    """The alignments of an account, oldest first."""

    account_id: UUID
    items: list[AlignmentView]


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
