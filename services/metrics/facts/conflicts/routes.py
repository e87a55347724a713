"""HTTP: revisions that were told in two ways."""

from uuid import UUID

from fastapi import APIRouter

from services.metrics.facts.conflicts.queries import ConflictsAsked, find_conflicts
from services.metrics.facts.conflicts.schemas import FactConflictView
from shared.http.bodies import ExternalId
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.security import Reader

router = APIRouter(prefix="/v1/fact-conflicts", tags=["facts"])


@router.get("")
async def list_fact_conflicts(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    entity_key: UUID | None = None,
    account_id: UUID | None = None,
    source: ExternalId | None = None,
) -> Page[FactConflictView]:
    """List the tellings that contradicted another of the same revision, the newest first.

    None of them counts: of two tellings, in whatever order they came, the one of the smaller digest does, until a
    higher revision comes. A scope sees those of its own
    accounts' facts that name its own accounts.
    """
    asked = ConflictsAsked(entity_key, account_id, source)
    rows = await find_conflicts(read, asked, page, scope=by.scope)
    items, cursor = page_of(rows, page, key=lambda conflict: conflict.conflict_id)
    return Page(items=[FactConflictView.of_conflict(item) for item in items], next_cursor=cursor)
