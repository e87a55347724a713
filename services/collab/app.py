"""collab's HTTP api: routers and the status of every refusal; no logic."""

from fastapi import FastAPI

from services.collab.briefs import routes as briefs
from services.collab.customers.consents import refusals as consent
from services.collab.customers.contacts import refusals as contact
from services.collab.customers.needs import refusals as need
from services.collab.customers.preferences import refusals as preference
from services.collab.customers.routes import ROUTERS as CUSTOMERS
from services.collab.handoffs import refusals as handoff
from services.collab.handoffs import routes as handoffs
from services.collab.notes import refusals as note
from services.collab.notes import routes as notes
from services.collab.notes.inbox import refusals as inbox_refusals
from services.collab.notes.inbox import routes as inbox
from services.collab.notes.inbox.commands import CHANNEL
from services.collab.notes.matches import routes as note_matches
from services.collab.policies import refusals as policy
from services.collab.policies import routes as policies
from services.collab.protocols import refusals as protocol
from services.collab.protocols import routes as protocols
from services.collab.protocols.obligations import routes as obligations
from services.collab.training import refusals as training
from services.collab.training.awards import routes as awards
from services.collab.training.certifications import refusals as certification
from services.collab.training.certifications import routes as certifications
from services.collab.training.enrolments import refusals as enrolment
from services.collab.training.enrolments import routes as enrolments
from services.collab.training.programmes import routes as programmes
from services.collab.training.skill_gaps import routes as skill_gaps
from shared.db.bell import Bell
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
    certification.AwardOver: 409,
    certification.AwardOverlaps: 409,
    certification.CertificationExists: 409,
    certification.UnknownCertification: 422,
    enrolment.AlreadyEnrolled: 409,
    enrolment.CourseSatisfied: 409,
    enrolment.StatementConflict: 409,
    enrolment.StatementVoided: 409,
    enrolment.UnknownCourse: 422,
    training.DayAhead: 422,
    consent.ConsentOverlaps: 409,
    consent.TooManyConsents: 409,
    contact.ContactRefused: 409,
    handoff.HandoffAlreadyDecided: 409,
    handoff.HandoffNotAccepted: 409,
    handoff.ChecklistIncomplete: 409,
    handoff.HandoffClosed: 409,
    handoff.NotTheReceivingSide: 403,
    need.NeedMetWithoutEvidence: 409,
    need.NeedStatusRefused: 409,
    need.TooMuchEvidence: 409,
    preference.TooManyObservations: 409,
    note.NoteDeleted: 409,
    note.NotTheAuthor: 403,
    inbox_refusals.NobodyAsked: 422,
    inbox_refusals.NotWanted: 409,
    policy.EffectiveTooEarly: 409,
    policy.NotAsked: 409,
    policy.NothingToPublish: 409,
    policy.OtherText: 409,
    policy.UnknownTerritory: 422,
    policy.VersionReplaced: 409,
    protocol.ReminderNeverComes: 422,
    protocol.UnknownCalendar: 422,
}


def create_app(parts: Parts) -> FastAPI:
    """Assemble the api."""
    app = create_service_app(
        parts,
        title="Bailiwick collab",
        description="How the team hands customers over: handoffs with their briefs, notes on anything, customer profiles.",
        # /v1/handoffs/summary stands before /v1/handoffs/{handoff_id}.
        routers=[
            handoffs.router,
            briefs.router,
            notes.router,
            note_matches.router,
            inbox.router,
            *CUSTOMERS,
            certifications.router,
            awards.router,
            programmes.router,
            enrolments.router,
            skill_gaps.router,
            policies.router,
            protocols.router,
            obligations.router,
        ],
        refusals=REFUSALS,
    )
    app.state.inbox_bell = Bell(parts.engine, CHANNEL)
    return app
