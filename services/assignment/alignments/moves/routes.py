"""The moves of a plan over HTTP, and the gaps it would leave: computed on each request, as its diff is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.alignments.diffs.turns import Turn
from services.assignment.alignments.moves import queries
from services.assignment.alignments.moves.schemas import GapView, MoveView
from services.assignment.rules.matcher import Reason
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["diffs"])


@router.get("/moves")
async def list_moves(
    by: Reader, _: Turn, read: Snapshot, now: Now, page: PageParameters, plan_id: UUID
) -> Page[MoveView]:
    """List the accounts that would change territory if the plan went live now, by id."""
    rows = await queries.list_moves(read, plan_id, at=now, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda move: move.account_id)
    return Page(items=[MoveView.of(move) for move in found], next_cursor=cursor)


@router.get("/gaps")
async def list_gaps(
    by: Reader,
    _: Turn,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    plan_id: UUID,
    reason: Annotated[Reason | None, Query(description="Only gaps of this reason.")] = None,
) -> Page[GapView]:
    """List the accounts that would belong to no territory if the plan went live now, and why."""
    rows = await queries.list_gaps(read, plan_id, reason=reason, at=now, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda gap: gap.account_id)
    return Page(items=[GapView.of(gap) for gap in found], next_cursor=cursor)
