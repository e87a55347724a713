"""Bodies of the handoff routes."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from services.collab.handoffs.handoff import HandoffState
from services.collab.handoffs.queries import HandoffRow
from shared.http.bodies import Body, Text, View


class RejectionBody(Body):
    """Why the receiving side sends the account back."""

    reason: Annotated[Text, Field(max_length=2000)]


class ItemBody(Body):
    """Whether an item of the checklist is done."""

    done: bool


class SideView(View):
    """One side of a handoff; `rep_id` is null while nobody covers the territory."""

    territory_id: UUID
    rep_id: UUID | None


class ItemView(View):
    """One item of the checklist."""

    item: str
    title: str
    done_at: datetime | None
    done_by: str | None


class HandoffView(View):
    """An account's passage from one territory to another."""

    handoff_id: UUID
    account_id: UUID
    activation_id: UUID
    outgoing: SideView
    incoming: SideView
    state: HandoffState
    version: int
    effective_at: datetime
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    rejection_reason: str | None
    completed_at: datetime | None
    completed_by: str | None
    superseded_at: datetime | None
    superseded_by_activation_id: UUID | None
    checklist: tuple[ItemView, ...]

    @classmethod
    def of(cls, handoff: HandoffRow) -> Self:
        """Show a handoff."""
        return cls.model_validate(handoff)


class HandoffCounts(View):
    """How many handoffs stand where."""

    activation_id: UUID | None
    total: int
    sent: int
    accepted: int
    rejected: int
    done: int
    superseded: int
