"""What collab publishes: the lifecycle of handoffs and notes; ids and numbers, never text."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.envelope import EventContract

HANDOFFS = "collab.handoff.events.v1"
NOTES = "collab.note.events.v1"


class _Handoff(EventContract):
    TOPIC: ClassVar[str] = HANDOFFS

    handoff_id: UUID
    account_id: UUID

    @property
    def key(self) -> str:
        """Order is kept per handoff."""
        return str(self.handoff_id)


class HandoffOpened(_Handoff):
    """An account changed territory: its outgoing side owes the incoming side a handoff."""

    TYPE: ClassVar[str] = "collab.handoff.opened.v1"

    activation_id: UUID
    from_territory_id: UUID
    to_territory_id: UUID
    from_rep_id: UUID | None
    to_rep_id: UUID | None
    opened_at: datetime


class HandoffDecided(_Handoff):
    """The receiving side accepted or rejected; `decided_by_id` is a rep's, or computed of the subject of a token."""

    TYPE: ClassVar[str] = "collab.handoff.decided.v1"

    decision: Literal["accepted", "rejected"]
    decided_by_id: UUID | None
    decided_at: datetime


class HandoffCompleted(_Handoff):
    """An accepted handoff's checklist is done."""

    TYPE: ClassVar[str] = "collab.handoff.completed.v1"

    completed_at: datetime


class HandoffSuperseded(_Handoff):
    """A later move made the handoff pointless before it was done.

    `by_activation_id` is null when no activation moved the account: an import changed what the rules see.
    """

    TYPE: ClassVar[str] = "collab.handoff.superseded.v1"

    by_activation_id: UUID | None
    superseded_at: datetime


class _Note(EventContract):
    TOPIC: ClassVar[str] = NOTES

    note_id: UUID
    revision: int

    @property
    def key(self) -> str:
        """Order is kept per note."""
        return str(self.note_id)


class NoteWritten(_Note):
    """A note was written on a subject; `author_id` is a rep's, or computed of the subject of a token; null: the product."""

    TYPE: ClassVar[str] = "collab.note.written.v1"

    subject_type: str
    subject_id: str
    author_id: UUID | None
    written_at: datetime


class NoteEdited(_Note):
    """A note's text changed."""

    TYPE: ClassVar[str] = "collab.note.edited.v1"

    edited_at: datetime


class NoteDeleted(_Note):
    """A note was deleted."""

    TYPE: ClassVar[str] = "collab.note.deleted.v1"

    deleted_at: datetime
