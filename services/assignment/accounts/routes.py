"""Accounts over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.assignment.accounts import queries
from services.assignment.accounts.queries import AccountFilter
from services.assignment.accounts.schemas import AccountView, GapReason
from services.assignment.territories.queries import require_live_territory
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Reader

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])


@router.get("", responses=describe(404))
async def list_accounts(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only accounts of this territory.")] = None,
    include: Annotated[
        Literal["self", "subtree"], Query(description="The territory alone, or with those below it.")
    ] = "self",
    external_id: Annotated[
        str | None, Query(max_length=128, pattern=r"^[^\x00-\x1f]*$", description="Only this one.")
    ] = None,
    reason: Annotated[GapReason | None, Query(description="Only gaps of this reason.")] = None,
) -> Page[AccountView]:
    """List accounts with their current alignments, by id.

    Accounts in a gap belong to nobody's subtree: only callers with the whole organisation see them.
    """
    if territory_id is not None:
        await require_live_territory(read, territory_id, scope=by.scope)
    wanted = AccountFilter(external_id, territory_id, include == "subtree", reason)
    rows = await queries.list_accounts(read, wanted, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda account: account.account_id)
    return Page(items=[AccountView.of(account) for account in found], next_cursor=cursor)


@router.get("/{account_id}")
async def get_account(by: Reader, read: Snapshot, account_id: UUID) -> AccountView:
    """Return one account with its current alignment."""
    return AccountView.of(await queries.find_account(read, account_id, scope=by.scope))
