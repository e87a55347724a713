"""collab's HTTP api: routers and the status of every refusal; no logic."""

from fastapi import FastAPI

from services.collab.briefs import routes as briefs
from services.collab.handoffs import refusals as handoff
from services.collab.handoffs import routes as handoffs
from services.collab.notes import refusals as note
from services.collab.notes import routes as notes
from services.collab.training import refusals as training
from services.collab.training.awards import routes as awards
from services.collab.training.certifications import refusals as certification
from services.collab.training.certifications import routes as certifications
from services.collab.training.enrolments import refusals as enrolment
from services.collab.training.enrolments import routes as enrolments
from services.collab.training.programmes import routes as programmes
from services.collab.training.skill_gaps import routes as skill_gaps
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
    handoff.HandoffAlreadyDecided: 409,
    handoff.HandoffNotAccepted: 409,
    handoff.ChecklistIncomplete: 409,
    handoff.HandoffClosed: 409,
    handoff.NotTheReceivingSide: 403,
    note.NoteDeleted: 409,
    note.NotTheAuthor: 403,
}


def create_app(parts: Parts) -> FastAPI:
    """Assemble the api."""
    return create_service_app(
        parts,
        title="Bailiwick collab",
        # /v1/handoffs/summary stands before /v1/handoffs/{handoff_id}.
        routers=[
            handoffs.router,
            briefs.router,
            notes.router,
            certifications.router,
            awards.router,
            programmes.router,
            enrolments.router,
            skill_gaps.router,
        ],
        refusals=REFUSALS,
    )
