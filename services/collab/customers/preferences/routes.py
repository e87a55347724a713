"""Preferences of customers over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.customers.access import require_account
from services.collab.customers.preferences import queries
from services.collab.customers.preferences.commands import RecordPreference, record_preference
from services.collab.customers.preferences.preference import PreferenceName
from services.collab.customers.preferences.schemas import (
    NewPreferenceBody,
    ObservationView,
    PreferencesView,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["customers"])


@router.post("/preferences", status_code=201, response_model=PreferencesView, responses=describe(404, 409))
async def create_preference(
    by: Writer, run: RunCommand, now: Now, account_id: UUID, body: NewPreferenceBody
) -> Response:
    """Record what was told of a customer's preferences, and return what holds now.

    Of conflicting words the newest of the most trusted source holds: customer, contract, rep, crm, inferred.
    """
    told = body.root
    command = RecordPreference(
        account_id=account_id,
        scope=by.scope,
        name=told.name,
        value=told.value_told(),
        source=told.source,
        confidence_percent=told.confidence_percent,
        captured_at=told.captured_at,
    )
    return await run.run(
        record_preference,
        command,
        by=by,
        show=lambda held: PreferencesView.of(account_id, held, now),
        status=201,
    )


@router.get("/preferences")
async def list_preferences(by: Reader, read: Snapshot, now: Now, account_id: UUID) -> PreferencesView:
    """Return what a customer prefers: each with its source, confidence and age."""
    await require_account(read, account_id, by.scope)
    return PreferencesView.of(account_id, await queries.find_preferences(read, account_id), now)


@router.get("/preference-observations", responses=describe(404))
async def list_preference_observations(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    account_id: UUID,
    name: PreferenceName | None = None,
) -> Page[ObservationView]:
    """List everything that was told of a customer's preferences, in the order it was recorded."""
    rows = await queries.list_observations(
        read, account_id, name=name, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.told.observation_id)
    return Page(items=[ObservationView.of(item, now) for item in items], next_cursor=cursor)
