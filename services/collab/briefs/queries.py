"""What the receiving side should know: put together when asked, so that it is never older than its parts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.profiles.queries import Profile, compile_profile
from services.collab.handoffs.handoff import UNDER_WAY
from services.collab.handoffs.queries import HandoffRow, find_handoff
from services.collab.notes.queries import count_account_notes
from services.collab.notes.visibility import Viewer
from services.collab.projections.account_states import Figures, find_figures
from services.collab.projections.alignments import find_territory, is_in_scope
from shared.db.scope import Scope


class WithheldBecause(StrEnum):
    """Why a brief has neither figures nor the customer's profile."""

    ACCOUNT_OUTSIDE_SCOPE = "account-outside-scope"


@dataclass(frozen=True, slots=True)
class Brief:
    """The account behind a handoff: figures and the customer's profile, None when they are not for this caller."""

    figures: Figures | None
    figures_withheld: WithheldBecause | None
    customer: Profile | None
    notes: int


async def find_handoff_with_brief(
    read: AsyncConnection, handoff_id: UUID, *, viewer: Viewer, at: datetime
) -> tuple[HandoffRow, Brief]:
    """Return a handoff and its brief. Raises NotFound."""
    handoff = await find_handoff(read, handoff_id, scope=viewer.scope)
    account_id = handoff.account_id
    shown = await _is_shown(read, handoff, viewer.scope)
    return handoff, Brief(
        figures=await find_figures(read, account_id) if shown else None,
        figures_withheld=None if shown else WithheldBecause.ACCOUNT_OUTSIDE_SCOPE,
        customer=await compile_profile(read, account_id, at=at) if shown else None,
        notes=await count_account_notes(read, account_id, viewer=viewer),
    )


async def _is_shown(read: AsyncConnection, handoff: HandoffRow, scope: Scope) -> bool:
    """Tell whether the account is open to this caller: who has it now, or a side of the handoff on its way."""
    if await is_in_scope(read, handoff.account_id, scope):
        return True
    at = await find_territory(read, handoff.account_id)
    return handoff.state in UNDER_WAY and at == handoff.incoming.territory_id
