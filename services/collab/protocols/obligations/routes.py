"""What is owed, over HTTP. It is closed by doing it: accepting the handoff, answering the customer, acknowledging."""

from uuid import UUID

from fastapi import APIRouter

from services.collab.protocols.obligations import queries
from services.collab.protocols.obligations.obligation import ObligationState
from services.collab.protocols.obligations.queries import ObligationFilter
from services.collab.protocols.obligations.schemas import ObligationStepsView, ObligationView
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.security import Reader

router = APIRouter(prefix="/v1/obligations", tags=["protocols"])


@router.get("")
async def list_obligations(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    state: ObligationState | None = None,
    territory_id: UUID | None = None,
    subject_id: UUID | None = None,
    account_id: UUID | None = None,
) -> Page[ObligationView]:
    """List what is or was owed in your scope, in the order it was opened; a territory means its subtree."""
    wanted = ObligationFilter(state, territory_id, subject_id, account_id)
    rows = await queries.list_obligations(
        read, wanted, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.obligation_id)
    return Page(items=[ObligationView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{obligation_id}")
async def get_obligation(by: Reader, read: Snapshot, obligation_id: UUID) -> ObligationStepsView:
    """Return one with its steps: which were taken and who was told, which are to come."""
    found, steps = await queries.find_obligation(read, obligation_id, scope=by.scope)
    return ObligationStepsView.of(found, steps)
