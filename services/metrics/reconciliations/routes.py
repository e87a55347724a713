"""HTTP: proof that the figures are right, made now or before."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.metrics.reconciliations.commands import Reconcile, reconcile
from services.metrics.reconciliations.queries import find_reconciliation, find_reconciliations
from services.metrics.reconciliations.schemas import ReconciliationDetailView, ReconciliationView
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Admin

router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"])


@router.post("", status_code=201, response_model=ReconciliationDetailView)
async def create_reconciliation(by: Admin, run: RunCommand) -> Response:
    """Count every fact anew, by other means than the roll-ups, and compare all their cells."""
    return await run.run(
        reconcile,
        Reconcile(),
        by=by,
        show=ReconciliationDetailView.model_validate,
        status=201,
        location=lambda made: f"/v1/reconciliations/{made.reconciliation_id}",
    )


@router.get("")
async def list_reconciliations(
    by: Admin,  # noqa: ARG001 - administrators of the whole organisation, whoever they are
    read: Snapshot,
    page: PageParameters,
    equal: Annotated[bool | None, Query(description="Only those that found nothing, or something.")] = None,
) -> Page[ReconciliationView]:
    """List the reconciliations, the newest first."""
    rows = await find_reconciliations(read, page, equal=equal)
    items, cursor = page_of(rows, page, key=lambda made: made.reconciliation_id)
    return Page(items=[ReconciliationView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{reconciliation_id}", responses=describe(404))
async def get_reconciliation(
    by: Admin,  # noqa: ARG001 - administrators of the whole organisation, whoever they are
    read: Snapshot,
    reconciliation_id: UUID,
) -> ReconciliationDetailView:
    """Return a reconciliation with the cells that differed."""
    return ReconciliationDetailView.model_validate(await find_reconciliation(read, reconciliation_id))
