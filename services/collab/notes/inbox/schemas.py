"""Bodies of the inbox routes."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.collab.notes.inbox.delivery import Mentions, Reason
from services.collab.notes.inbox.outcome import Undelivered
from services.collab.notes.inbox.queries import InboxItem
from services.collab.notes.note import SubjectType
from shared.http.bodies import Body, View

MAX_MENTIONS = 50


class MentionBody(Body):
    """Somebody the note is put before; a territory means whoever covers it as primary now."""

    type: Literal["rep", "territory"]
    id: UUID


def mentions_of(bodies: tuple[MentionBody, ...]) -> Mentions:
    """Return who is mentioned, each once."""
    named: dict[str, dict[UUID, None]] = {"rep": {}, "territory": {}}
    for body in bodies:
        named[body.type][body.id] = None
    return Mentions(tuple(named["rep"]), tuple(named["territory"]))


class InboxItemView(View):
    """A note that was put before you, and what you did with it."""

    item_id: UUID
    reason: Reason
    territory_id: UUID | None = Field(description="For which you were mentioned, because you cover it.")
    note_id: UUID
    thread_id: UUID = Field(description="The first note of its thread; the note itself when it is that.")
    subject_type: SubjectType
    subject_id: UUID
    author: str
    excerpt: str | None = Field(
        description="The first 280 characters of its text; null to a retry, once the note was deleted."
    )
    wants_acknowledgement: bool
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None

    @classmethod
    def of(cls, item: InboxItem) -> Self:
        """Show an item."""
        return cls.model_validate(item)


class InboxCountsView(View):
    """How many items are unread, and how many wait for your acknowledgement; exact."""

    unread: int
    to_acknowledge: int


class ReadingBody(Body):
    """Items of your inbox that you have read."""

    item_ids: frozenset[UUID] = Field(min_length=1, max_length=500)


class MentionView(View):
    """Whom the note mentions, and what became of it."""

    type: Literal["rep", "territory"]
    id: UUID
    recipient: str | None = Field(
        description="The rep it means; null where nobody covers the territory, or who does is not yours to know."
    )
    delivered: bool = Field(
        description="Whether they can see it now, by what they cover. If not, they find it once they can."
    )
    reason: Undelivered | None = Field(
        description="Why it is not delivered; `unknown-...` stands for all that lies outside your scope."
    )


class AcknowledgementView(MentionView):
    """Whose acknowledgement was asked for, and when they gave it; null while they have not."""

    asked_at: datetime | None = Field(description="Null where nobody was asked.")
    acknowledged_at: datetime | None
