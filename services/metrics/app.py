"""metrics' HTTP api: routers and the status of every refusal; no logic."""

from fastapi import FastAPI

from services.metrics.facts import routes as facts
from services.metrics.freshness import routes as freshness
from services.metrics.reconciliation import routes as reconciliation
from services.metrics.rollups import refusals as rollup_refusals
from services.metrics.rollups import routes as rollups
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
    rollup_refusals.EmptyPeriod: 422,
    rollup_refusals.TooManyRows: 422,
}


def create_app(parts: Parts) -> FastAPI:
    """Assemble the api."""
    return create_service_app(
        parts,
        title="Bailiwick metrics",
        description=(
            "Sales facts, credited to territories as they were and as they are, in roll-ups exact to the cent."
        ),
        routers=[facts.router, rollups.router, reconciliation.router, freshness.router],
        refusals=REFUSALS,
    )
