"""HTTP: proof that the figures are right."""

from fastapi import APIRouter, Response

from services.metrics.reconciliations.commands import Reconcile, reconcile
from services.metrics.reconciliations.schemas import ReconciliationView
from shared.http.commands import RunCommand
from shared.http.security import Admin

router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"])


@router.post("", status_code=201, response_model=ReconciliationView)
async def post_reconciliation(by: Admin, run: RunCommand) -> Response:
    """Count every fact anew, by other means than the roll-ups, and compare all their cells."""
    return await run.run(reconcile, Reconcile(), by=by, show=ReconciliationView.of, status=201)
