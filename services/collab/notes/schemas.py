"""Bodies of the note routes."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.collab.notes.commands import Written
from services.collab.notes.inbox.schemas import MAX_MENTIONS, MentionBody, MentionView
from services.collab.notes.note import SubjectType
from services.collab.notes.queries import NoteRow, RevisionRow
from shared.http.bodies import Body, Text, View


class SubjectBody(Body):
    """What the note is about.

    Accounts, handoffs and territories of the plan in force have to be there; of the rest any id is taken.
    """

    type: SubjectType
    id: UUID


class ReplyBody(Body):
    """A reply to be written."""

    body: Text
    mentions: tuple[MentionBody, ...] = Field(
        default=(), max_length=MAX_MENTIONS, description="Whose inbox it is put into."
    )
    wants_acknowledgement: bool = Field(
        default=False,
        description="Whoever is mentioned is asked to acknowledge it; refused when none of them can be reached.",
    )


class NewNoteBody(ReplyBody):
    """A note to be written."""

    subject: SubjectBody


class NoteEditBody(Body):
    """A note's new text."""

    body: Text


class SubjectView(View):
    """What a note is about."""

    type: SubjectType
    id: UUID


class NoteView(View):
    """A note. `version` counts its changes; a deleted one keeps its place and has no body."""

    note_id: UUID
    thread_id: UUID | None = Field(description="The first note of its thread; null for that one itself.")
    subject: SubjectView
    body: str | None
    author: str
    version: int
    written_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    deleted_by: str | None

    @classmethod
    def of(cls, note: NoteRow) -> Self:
        """Show a note."""
        return cls.model_validate(note)


class WrittenNoteView(NoteView):
    """A note that was just written, and what became of each of its mentions."""

    mentions: tuple[MentionView, ...]

    @classmethod
    def of_written(cls, written: Written) -> Self:
        """Show a note that was just written."""
        return cls(
            **dict(NoteView.of(written.note)),
            mentions=tuple(MentionView.model_validate(one) for one in written.mentions),
        )


class RevisionView(View):
    """One state of a note's text; null once the note is deleted."""

    revision: int
    body: str | None
    written_by: str
    written_at: datetime

    @classmethod
    def of(cls, revision: RevisionRow) -> Self:
        """Show a revision."""
        return cls.model_validate(revision)
