"""metrics' HTTP api: routers and the status of every refusal; no logic."""

from fastapi import FastAPI

from services.metrics.customer_value import refusals as customer_value_refusals
from services.metrics.customer_value import routes as customer_value
from services.metrics.definitions import routes as definitions
from services.metrics.facts import routes as facts
from services.metrics.facts.conflicts import routes as conflicts
from services.metrics.figures import refusals
from services.metrics.figures import routes as figures
from services.metrics.freshness import routes as freshness
from services.metrics.goals import refusals as goal_refusals
from services.metrics.goals import routes as goals
from services.metrics.measurements import refusals as measurement_refusals
from services.metrics.measurements import routes as measurements
from services.metrics.reconciliations import routes as reconciliations
from services.metrics.training import routes as certification_effects
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
    customer_value_refusals.FitAlreadyQueued: 409,
    customer_value_refusals.CutOffInTheFuture: 422,
    refusals.EmptyPeriod: 422,
    refusals.TooManyRows: 422,
    goal_refusals.GoalNotDraft: 409,
    goal_refusals.GoalClosed: 409,
    goal_refusals.GoalNotSmart: 422,
    measurement_refusals.UnknownMetric: 422,
    measurement_refusals.PeriodOutOfRange: 422,
}


def create_app(parts: Parts) -> FastAPI:
    """Assemble the api."""
    return create_service_app(
        parts,
        title="Bailiwick metrics",
        description=(
            "Sales facts, credited to territories as they were and as they are, in roll-ups exact to the cent."
        ),
        routers=[
            facts.router,
            conflicts.router,
            figures.router,
            definitions.router,
            measurements.router,
            goals.router,
            certification_effects.router,
            reconciliations.router,
            freshness.router,
            customer_value.router,
        ],
        refusals=REFUSALS,
    )
