"""A handoff with its brief over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.briefs.queries import find_handoff_with_brief
from services.collab.briefs.schemas import BriefView, HandoffWithBriefView
from services.collab.handoffs.schemas import HandoffView
from services.collab.notes.visibility import Viewer
from shared.http.commands import Snapshot
from shared.http.etags import etag_of
from shared.http.present import Now
from shared.http.security import Reader

router = APIRouter(prefix="/v1/handoffs", tags=["handoffs"])


@router.get("/{handoff_id}")
async def get_handoff(
    by: Reader, read: Snapshot, now: Now, handoff_id: UUID, response: Response
) -> HandoffWithBriefView:
    """Return a handoff of which either side lies in your scope, with the brief on its account."""
    handoff, brief = await find_handoff_with_brief(
        read, handoff_id, viewer=Viewer(by.subject, by.scope), at=now
    )
    response.headers["etag"] = etag_of(handoff.version)
    view = HandoffView.of(handoff)
    return HandoffWithBriefView(**dict(view), brief=BriefView.of(brief))
