"""collab's HTTP api: routers and the status of every refusal; no logic."""

from fastapi import FastAPI

from services.collab.briefs import routes as briefs
from services.collab.handoffs import refusals as handoff
from services.collab.handoffs import routes as handoffs
from services.collab.notes import refusals as note
from services.collab.notes import routes as notes
from shared.http.app import create_service_app
from shared.http.parts import Parts
from shared.http.problems import RefusalTable

REFUSALS: RefusalTable = {
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
        description="How the team hands customers over: handoffs with their briefs, and notes on anything.",
        # /v1/handoffs/summary stands before /v1/handoffs/{handoff_id}.
        routers=[handoffs.router, briefs.router, notes.router],
        refusals=REFUSALS,
    )
