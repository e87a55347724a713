"""Reps over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.reps import queries
from services.assignment.reps.schemas import RepView
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/reps", tags=["reps"])


@router.get("")
async def list_reps(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    external_id: Annotated[
        str | None, Query(max_length=128, pattern=r"^[^\x00-\x1f]*$", description="Only this one.")
    ] = None,
) -> Page[RepView]:
    """List reps by id; a caller with single territories sees those who cover them."""
    rows = await queries.list_reps(read, external_id=external_id, scope=by.scope, at=now, page=page)
    found, cursor = page_of(rows, page, lambda rep: rep.rep_id)
    return Page(items=[RepView.model_validate(rep) for rep in found], next_cursor=cursor)


@router.get("/{rep_id}")
async def get_rep(by: Reader, read: Snapshot, now: Now, rep_id: UUID) -> RepView:
    """Return one rep."""
    return RepView.model_validate(await queries.find_rep(read, rep_id, scope=by.scope, at=now))
