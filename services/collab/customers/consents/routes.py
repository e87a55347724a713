"""Consents of customers over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.customers.consents import queries
from services.collab.customers.consents.commands import RecordConsent, record_consent
from services.collab.customers.consents.schemas import ConsentView, NewConsentBody
from shared.http.bodies import Instant
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/accounts/{account_id}/consents", tags=["customers"])


@router.post("", status_code=201, response_model=ConsentView, responses=describe(404, 409))
async def create_consent(by: Writer, run: RunCommand, account_id: UUID, body: NewConsentBody) -> Response:
    """Record a yes or no. It holds instead of what the same source said of the same before; history stays.

    With `effective_to`, what was said before holds again from then on, as a statement that tells what it `resumes`.
    It ends where a later statement of the same source begins; but a no takes back what has yet to begin
    (`withdrawn_at`): from now on it is never refused.
    """
    command = RecordConsent(
        account_id=account_id,
        scope=by.scope,
        target=body.target(),
        state=body.state,
        source=body.source,
        effective_from=body.effective_from,
        effective_to=body.effective_to,
    )
    # As of its own moment: the request began before it, when nothing was in force yet.
    return await run.run(
        record_consent, command, by=by, show=lambda row: ConsentView.of(row, row.recorded_at), status=201
    )


@router.get("", responses=describe(404))
async def list_consents(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    account_id: UUID,
    at: Annotated[Instant | None, Query(description="Only what is in force at this instant.")] = None,
) -> Page[ConsentView]:
    """List what a customer said about being contacted, in the order it was recorded."""
    rows = await queries.list_consents(
        read, account_id, at=at, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.statement.consent_id)
    return Page(items=[ConsentView.of(item, now) for item in items], next_cursor=cursor)
