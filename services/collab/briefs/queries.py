"""What the receiving side should know: put together when asked, so that it is never older than its parts."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.queries import HandoffRow, find_handoff
from services.collab.notes.queries import count_account_notes
from services.collab.projections.figures import Figures, find_figures
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class Brief:
    """The account behind a handoff, in numbers."""

    figures: Figures
    notes: int


async def find_handoff_with_brief(
    read: AsyncConnection, handoff_id: UUID, *, scope: Scope
) -> tuple[HandoffRow, Brief]:
    """Return a handoff and its brief. Raises NotFound."""
    handoff = await find_handoff(read, handoff_id, scope=scope)
    return handoff, Brief(
        figures=await find_figures(read, handoff.account_id),
        notes=await count_account_notes(read, handoff.account_id),
    )
