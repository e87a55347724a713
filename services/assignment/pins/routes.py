"""The pins of plans over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.pins import queries
from services.assignment.pins.commands import (
    PinAccount,
    RevisedPins,
    UnpinAccount,
    pin_account,
    unpin_account,
)
from services.assignment.pins.schemas import PinBody, PinView
from services.assignment.plans.revisions import PlanRead, ReviseDraft
from shared.http.bodies import Instant
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(prefix="/v1/plans/{plan_id}/pins", tags=["pins"])


@router.get("")
async def list_pins(
    by: Reader,
    plan: PlanRead,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only accounts held here.")] = None,
    expires_before: Annotated[
        Instant | None, Query(description="Only pins that expire before this instant, or have.")
    ] = None,
) -> Page[PinView]:
    """List the pins in territories of the caller's scope, by account."""
    rows = await queries.list_pins(
        read,
        plan.plan_id,
        territory_id=territory_id,
        expires_before=expires_before,
        scope=by.scope,
        page=page,
    )
    found, cursor = page_of(rows, page, lambda pin: pin.account_id)
    return Page(items=[PinView.of(pin, by, now) for pin in found], next_cursor=cursor)


@router.get("/{account_id}")
async def get_pin(by: Reader, plan: PlanRead, read: Snapshot, now: Now, account_id: UUID) -> PinView:
    """Return where an account is held by hand; the ETag is the plan's."""
    return PinView.of(await queries.find_pin(read, plan.plan_id, account_id, scope=by.scope), by, now)


@router.put("/{account_id}", response_model=PinView, responses=describe(409))
async def put_pin(by: Manager, revision: ReviseDraft, now: Now, account_id: UUID, body: PinBody) -> Response:
    """Hold an account in a territory of a draft, ahead of all rules. A plan that was live never changes."""
    command = PinAccount(
        draft=revision.draft,
        account_id=account_id,
        territory_id=body.territory_id,
        reason=body.reason,
        owner_rep_id=body.owner_rep_id,
        owner_subject=body.owner_subject,
        expires_at=body.expires_at,
        scope=by.scope,
    )

    def show(revised: RevisedPins) -> PinView | None:
        return None if revised.pin is None else PinView.of(revised.pin, by, now)

    return await revision.run(pin_account, command, by=by, show=show)


@router.delete("/{account_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_pin(by: Manager, revision: ReviseDraft, account_id: UUID) -> Response:
    """Take a pin out of a draft: the rules decide on the account again."""
    command = UnpinAccount(revision.draft, account_id, by.scope)
    return await revision.run(unpin_account, command, by=by, show=lambda _: None, status=204)
