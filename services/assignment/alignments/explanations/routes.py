"""Explanations of alignments over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.alignments.explanations.queries import explain_alignment, explain_plan
from services.assignment.alignments.explanations.schemas import ExplanationView
from shared.http.bodies import Instant
from shared.http.commands import Snapshot
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts/{account_id}/explanation", tags=["alignments"])


@router.get("")
async def get_explanation(
    by: Reader,
    read: Snapshot,
    now: Now,
    account_id: UUID,
    at: Annotated[Instant | None, Query(description="At this instant; now when left out.")] = None,
    plan_id: Annotated[
        UUID | None,
        Query(description="What this plan, a draft perhaps, makes of the account as it was then."),
    ] = None,
) -> ExplanationView:
    """Tell why an account belongs where it does: plan, path, rule, every comparison, and the losing rules."""
    if plan_id is None:
        found = await explain_alignment(read, account_id, at=at or now, scope=by.scope)
    else:
        found = await explain_plan(read, account_id, plan_id, at=at or now, scope=by.scope)
    return ExplanationView.of(found, by)
