"""Exports to CRMs over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from services.assignment.accounts.queries import AccountFilter, list_accounts
from services.assignment.crm.exports.queries import export_plan, read_owners
from services.assignment.crm.exports.record_writer import write_account, write_rep
from services.assignment.crm.exports.schemas import RecordsView, SalesforcePlanView
from services.assignment.crm.imports.document import ACCOUNTS, REPS
from services.assignment.crm.shapes import System
from services.assignment.plans.queries import find_plan
from services.assignment.reps.queries import list_reps
from shared.http.commands import Snapshot
from shared.http.pagination import PageParameters, page_of
from shared.http.present import Now
from shared.http.security import Planner, Reader

router = APIRouter(prefix="/v1/crm", tags=["crm"])


@router.get("/salesforce/plans/{plan_id}")
async def get_crm_plan(_: Planner, read: Snapshot, now: Now, plan_id: UUID) -> SalesforcePlanView:
    """Return a plan with its territories, rules and who covers it, as Salesforce's `Territory2` family."""
    return SalesforcePlanView(**await export_plan(read, await find_plan(read, plan_id), at=now))


@router.get("/{system}/accounts")
async def list_crm_accounts(
    by: Reader, read: Snapshot, now: Now, page: PageParameters, system: System
) -> RecordsView:
    """List accounts as the CRM's records, by id; their owner is the rep who covers their territory."""
    rows = await list_accounts(read, AccountFilter(), scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda account: account.account_id)
    owners = await read_owners(
        read, {one.territory_id for one in found if one.territory_id is not None}, at=now
    )
    items = [
        write_account(system, one, owner=None if one.territory_id is None else owners.get(one.territory_id))
        for one in found
    ]
    return RecordsView(object=ACCOUNTS[system], items=items, next_cursor=cursor)


@router.get("/{system}/reps")
async def list_crm_reps(
    by: Reader, read: Snapshot, now: Now, page: PageParameters, system: System
) -> RecordsView:
    """List reps as the CRM's users or owners, by id."""
    rows = await list_reps(read, external_id=None, scope=by.scope, at=now, page=page)
    found, cursor = page_of(rows, page, lambda rep: rep.rep_id)
    return RecordsView(
        object=REPS[system], items=[write_rep(system, one) for one in found], next_cursor=cursor
    )
