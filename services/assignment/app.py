"""The assignment api: its routers, and which refusal answers with which status."""

from fastapi import FastAPI

from services.assignment.accounts import routes as accounts
from services.assignment.alignments import routes as alignments
from services.assignment.alignments.activations import refusals as activations_refusals
from services.assignment.alignments.activations import routes as activations
from services.assignment.alignments.balances import routes as balances
from services.assignment.alignments.diffs import refusals as diffs_refusals
from services.assignment.alignments.diffs import routes as diffs
from services.assignment.alignments.diffs.turns import install_turns
from services.assignment.alignments.explanations import routes as explanations
from services.assignment.alignments.fit import routes as fit
from services.assignment.alignments.gates import refusals as gates_refusals
from services.assignment.alignments.gates import routes as gates
from services.assignment.alignments.moves import routes as moves
from services.assignment.alignments.previews import routes as previews
from services.assignment.certifications import refusals as certifications_refusals
from services.assignment.certifications import routes as certifications
from services.assignment.clones import routes as clones
from services.assignment.crm.exports import routes as crm_exports
from services.assignment.crm.imports import refusals as crm_imports_refusals
from services.assignment.crm.imports import routes as crm_imports
from services.assignment.crm.webhooks import refusals as webhooks_refusals
from services.assignment.crm.webhooks import routes as webhooks
from services.assignment.design.comparing import routes as comparing
from services.assignment.design.edits import refusals as design_edits_refusals
from services.assignment.design.edits import routes as design_edits
from services.assignment.design.edits.turns import install_edit_turns
from services.assignment.design.exports import refusals as design_exports_refusals
from services.assignment.design.exports import routes as design_exports
from services.assignment.design.exports.turns import install_map_turns
from services.assignment.design.matching import refusals as matching_refusals
from services.assignment.design.matching import routes as matching
from services.assignment.design.matching.turns import install_matching_turns
from services.assignment.design.proposals import refusals as proposals_refusals
from services.assignment.design.proposals import routes as proposals
from services.assignment.design.runs import refusals as design_runs_refusals
from services.assignment.design.runs import routes as design_runs
from services.assignment.design.sizing import refusals as design_sizing_refusals
from services.assignment.design.sizing import routes as design_sizing
from services.assignment.design.sizing.turns import install_sizing_turns
from services.assignment.imports import refusals as imports_refusals
from services.assignment.imports import routes as imports
from services.assignment.pins import refusals as pins_refusals
from services.assignment.pins import routes as pins
from services.assignment.placements import routes as placements
from services.assignment.plans import refusals as plans_refusals
from services.assignment.plans import routes as plans
from services.assignment.potentials import refusals as potentials_refusals
from services.assignment.potentials import routes as potentials
from services.assignment.reps import routes as reps
from services.assignment.reps.coverages import refusals as coverages_refusals
from services.assignment.reps.coverages import routes as coverages
from services.assignment.rules import refusals as rules_refusals
from services.assignment.rules import routes as rules
from services.assignment.shapes import refusals as shapes_refusals
from services.assignment.shapes import routes as shapes
from services.assignment.shapes.turns import install_shape_turns
from services.assignment.territories import refusals as territories_refusals
from services.assignment.territories import routes as territories
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
    activations_refusals.EffectiveAtNotNow: 422,
    activations_refusals.LivePlanChanged: 409,
    activations_refusals.NothingToRollBack: 409,
    activations_refusals.PlanIncomplete: 409,
    activations_refusals.PlanNotLive: 409,
    certifications_refusals.RepNotCertified: 409,
    coverages_refusals.CoverageEnds: 409,
    coverages_refusals.CoverageOverlaps: 409,
    coverages_refusals.NobodyHandsOver: 422,
    coverages_refusals.RepAlreadyCovers: 409,
    coverages_refusals.SharesExceedWhole: 409,
    coverages_refusals.UnknownRep: 422,
    coverages_refusals.ValidFromAhead: 422,
    coverages_refusals.ValidToPast: 422,
    diffs_refusals.DiffsBusy: 503,
    design_exports_refusals.AccountsWithoutShape: 409,
    design_edits_refusals.EditsBusy: 503,
    design_edits_refusals.InvalidEdit: 422,
    design_edits_refusals.NothingToRedo: 409,
    design_edits_refusals.NothingToUndo: 409,
    design_edits_refusals.ProposalNotEditable: 409,
    design_edits_refusals.TooManyEdits: 409,
    design_exports_refusals.MapNotDrawn: 503,
    design_exports_refusals.MapsBusy: 503,
    design_runs_refusals.DesignRunEnded: 409,
    design_runs_refusals.DesignRunExists: 409,
    design_runs_refusals.DesignRunNotEnded: 409,
    design_runs_refusals.InvalidScenario: 422,
    design_sizing_refusals.SizingsBusy: 503,
    matching_refusals.MatchingsBusy: 503,
    matching_refusals.RepsNotMatched: 503,
    gates_refusals.GateRefused: 409,
    gates_refusals.OverrideNotAllowed: 403,
    imports_refusals.UnreadableFile: 422,
    imports_refusals.UnsupportedFormat: 415,
    pins_refusals.PinExpired: 422,
    pins_refusals.UnknownOwner: 422,
    plans_refusals.PlanAlreadyActive: 409,
    plans_refusals.PlanBusy: 503,
    plans_refusals.PlanExists: 409,
    plans_refusals.PlanNotDraft: 409,
    potentials_refusals.PotentialEstimateNotCompleted: 409,
    potentials_refusals.PotentialEstimateQueued: 409,
    potentials_refusals.TooFewKnownAccounts: 409,
    proposals_refusals.DesignRunWithoutProposal: 409,
    proposals_refusals.UnknownTerritories: 422,
    rules_refusals.InvalidRules: 422,
    shapes_refusals.InvalidShapes: 422,
    shapes_refusals.ShapesBusy: 503,
    shapes_refusals.ShapesNotRead: 503,
    territories_refusals.InvalidTree: 422,
    territories_refusals.TerritoryInUse: 409,
    crm_imports_refusals.UnreadableDocument: 422,
    webhooks_refusals.InvalidSignature: 401,
    webhooks_refusals.SealKeyMissing: 409,
    webhooks_refusals.UnreadableDelivery: 422,
}


def create_app(
    parts: Parts, *, max_import_bytes: int = 64 * 1_048_576, webhook_key: str | None = None
) -> FastAPI:
    """Build the api."""
    app = create_service_app(
        parts,
        title="Bailiwick assignment",
        description=(
            "Who owns which customer: plans with their territory trees and rules, accounts and the history "
            "of their alignments, reps and coverage. See a plan's diff, activate it, roll it back."
        ),
        routers=[
            imports.router,
            accounts.router,
            alignments.router,
            fit.router,
            explanations.router,
            reps.router,
            coverages.router,
            plans.router,
            clones.router,
            territories.router,
            certifications.router,
            rules.router,
            pins.router,
            placements.router,
            diffs.router,
            balances.router,
            moves.router,
            previews.router,
            gates.router,
            activations.router,
            potentials.router,
            design_runs.router,
            proposals.router,
            comparing.router,
            design_edits.router,
            design_exports.router,
            design_sizing.router,
            matching.router,
            shapes.router,
            webhooks.router,
            crm_imports.router,
            crm_exports.router,
        ],
        refusals=REFUSALS,
        larger_bodies={
            imports.ACCOUNTS_PATH: max_import_bytes,
            imports.REPS_PATH: max_import_bytes,
            placements.PLACEMENTS_PATH: max_import_bytes,
            shapes.SHAPES_PATH: min(shapes.MOST_BYTES, max_import_bytes),
            **dict.fromkeys(crm_imports.IMPORT_PATHS, max_import_bytes),
            **webhooks.DELIVERY_LIMITS,
        },
    )
    install_turns(app)
    install_map_turns(app)
    install_edit_turns(app)
    install_matching_turns(app)
    install_sizing_turns(app)
    install_shape_turns(app)
    design_runs.install_bell(app)
    webhooks.install_seal(app, webhook_key)
    return app
