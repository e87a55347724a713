"""Contacts with customers, and whether they are wanted, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.customers.access import require_account
from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.schemas import ContactPoint
from services.collab.customers.contacts import queries
from services.collab.customers.contacts.commands import LogContact, log_contact
from services.collab.customers.contacts.contactability import Asked
from services.collab.customers.contacts.schemas import ContactabilityView, ContactView, NewContactBody
from shared.http.bodies import Instant
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["customers"])


@router.get("/contactability")
async def get_contactability(
    by: Reader,
    read: Snapshot,
    now: Now,
    account_id: UUID,
    channel: Channel,
    purpose: Purpose,
    contact_point: Annotated[ContactPoint | None, Query()] = None,
    at: Annotated[Instant | None, Query(description="Now, when left out.")] = None,
) -> ContactabilityView:
    """Tell whether a customer may be contacted in this way, for this, at this moment, and why.

    A no to everything, to the channel, to the contact point or to the purpose denies, whatever yes stands beside
    it. Marketing and surveys need a yes. Service that answers what the customer asked on this channel passes while
    the answer is owed (`answers-customer`). Then the contact hours decide, on the customer's clock.
    """
    await require_account(read, account_id, by.scope)
    asked = Asked(channel, purpose, at or now, contact_point)
    verdict = await queries.contactability_of(
        read, account_id, channel=channel, purpose=purpose, at=asked.at, contact_point=contact_point
    )
    return ContactabilityView.of(account_id, asked, verdict)


@router.post("/contacts", status_code=201, response_model=ContactView, responses=describe(404, 409))
async def create_contact(by: Writer, run: RunCommand, account_id: UUID, body: NewContactBody) -> Response:
    """Log a contact; one that is planned or was made is refused with the reason when the customer wants none.

    One that was received starts the clock of its answer, which the next one made is.
    """
    command = LogContact(
        account_id=account_id,
        scope=by.scope,
        kind=body.kind,
        channel=body.channel,
        purpose=body.purpose,
        contact_point=body.contact_point,
        at=body.at,
    )
    return await run.run(log_contact, command, by=by, show=ContactView.model_validate, status=201)


@router.get("/contacts", responses=describe(404))
async def list_contacts(
    by: Reader, read: Snapshot, page: PageParameters, account_id: UUID
) -> Page[ContactView]:
    """List contacts in the order they were logged."""
    rows = await queries.list_contacts(
        read, account_id, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.contact_id)
    return Page(items=[ContactView.model_validate(item) for item in items], next_cursor=cursor)
