"""The placements of plans over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.assignment.placements import queries
from services.assignment.placements.commands import (
    PlaceAccounts,
    RemovePlacements,
    place_accounts,
    remove_placements,
)
from services.assignment.placements.schemas import (
    PLACEMENTS_BODY,
    PlacementReportView,
    PlacementView,
    read_pairs,
)
from services.assignment.plans.revisions import PlanRead, ReviseDraft
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Planner, Reader

PLACEMENTS_PATH = "/v1/plans/{plan_id}/placements"

router = APIRouter(prefix=PLACEMENTS_PATH, tags=["placements"])


@router.get("")
async def list_placements(
    by: Reader,
    plan: PlanRead,
    read: Snapshot,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only accounts placed here.")] = None,
    design_run_id: Annotated[UUID | None, Query(description="Only what this run proposed.")] = None,
) -> Page[PlacementView]:
    """List which accounts the plan puts in territories of the caller's scope, by account."""
    rows = await queries.list_placements(
        read,
        plan.plan_id,
        territory_id=territory_id,
        design_run_id=design_run_id,
        scope=by.scope,
        page=page,
    )
    found, cursor = page_of(rows, page, lambda placement: placement.account_id)
    return Page(items=[PlacementView.of(placement, by) for placement in found], next_cursor=cursor)


@router.put("", response_model=PlacementReportView, responses=describe(409), openapi_extra=PLACEMENTS_BODY)
async def put_placements(by: Planner, revision: ReviseDraft, request: Request) -> Response:
    """Put accounts in territories of a draft by hand, ahead of its rules and behind its pins.

    Each account named is placed where the list says, instead of where the draft placed it; all others stay as they
    are. Pairs that are wrong are reported and left out, the others are stored together.
    """
    command = PlaceAccounts(revision.draft, await read_pairs(await request.body()))
    return await revision.run(place_accounts, command, by=by, show=PlacementReportView.of)


@router.delete("", status_code=204, response_class=Response, responses=describe(409))
async def delete_placements(
    by: Planner,
    revision: ReviseDraft,
    territory_id: Annotated[UUID | None, Query(description="Only of accounts placed here.")] = None,
    design_run_id: Annotated[UUID | None, Query(description="Only what this run proposed.")] = None,
) -> Response:
    """Take placements out of a draft, all of them unless narrowed: the rules decide on the accounts again."""
    command = RemovePlacements(revision.draft, territory_id=territory_id, design_run_id=design_run_id)
    return await revision.run(remove_placements, command, by=by, show=lambda _: None, status=204)


@router.get("/{account_id}")
async def get_placement(by: Reader, plan: PlanRead, read: Snapshot, account_id: UUID) -> PlacementView:
    """Return where a plan puts an account; the ETag is the plan's."""
    found = await queries.find_placement(read, plan.plan_id, account_id, scope=by.scope)
    return PlacementView.of(found, by)


@router.delete("/{account_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_placement(by: Planner, revision: ReviseDraft, account_id: UUID) -> Response:
    """Take one account's placement out of a draft: the rules decide on it again."""
    command = RemovePlacements(revision.draft, account_id=account_id)
    return await revision.run(remove_placements, command, by=by, show=lambda _: None, status=204)
