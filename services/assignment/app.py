"""The assignment api: its routers, and which refusal answers with which status."""

from fastapi import FastAPI

from services.assignment.accounts import routes as accounts
from services.assignment.clones import routes as clones
from services.assignment.imports import refusals as imports_refusals
from services.assignment.imports import routes as imports
from services.assignment.plans import refusals as plans_refusals
from services.assignment.plans import routes as plans
from services.assignment.reps import routes as reps
from services.assignment.rules import refusals as rules_refusals
from services.assignment.rules import routes as rules
from services.assignment.territories import refusals as territories_refusals
from services.assignment.territories import routes as territories
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
    imports_refusals.UnreadableFile: 422,
    imports_refusals.UnsupportedFormat: 415,
    plans_refusals.PlanAlreadyActive: 409,
    plans_refusals.PlanExists: 409,
    plans_refusals.PlanNotDraft: 409,
    rules_refusals.InvalidRules: 422,
    territories_refusals.InvalidTree: 422,
    territories_refusals.TerritoryInUse: 409,
}


def create_app(parts: Parts, *, max_import_bytes: int = 64 * 1_048_576) -> FastAPI:
    """Build the api."""
    return create_service_app(
        parts,
        title="Bailiwick assignment",
        description=(
            "Who owns which customer: plans with their territory trees and rules, accounts and the history "
            "of their alignments, reps and coverage. See a plan's diff, activate it, roll it back."
        ),
        routers=[
            imports.router,
            accounts.router,
            reps.router,
            plans.router,
            clones.router,
            territories.router,
            rules.router,
        ],
        refusals=REFUSALS,
        larger_bodies={imports.ACCOUNTS_PATH: max_import_bytes, imports.REPS_PATH: max_import_bytes},
    )
