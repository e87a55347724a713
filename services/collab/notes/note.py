"""A note and who may change it. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from services.collab.notes.refusals import NoteDeleted, NotTheAuthor


class SubjectType(StrEnum):
    """What a note may be about."""

    ACCOUNT = "account"
    TERRITORY = "territory"
    REP = "rep"
    PLAN = "plan"
    HANDOFF = "handoff"
    RULE = "rule"
    GOAL = "goal"


@dataclass(frozen=True, slots=True)
class Note:
    """The part of a note that its rules speak of."""

    note_id: UUID
    author: str
    version: int
    deleted: bool

    def edit(self, *, by: str) -> "Note":
        """Give it a new revision. Raises NotTheAuthor or NoteDeleted."""
        self._require_text()
        if by != self.author:
            raise NotTheAuthor("Only the author can edit a note; write one of your own.")
        return replace(self, version=self.version + 1)

    def delete(self, *, by: str, moderates: bool) -> "Note":
        """Take its text away for good. Raises NotTheAuthor or NoteDeleted."""
        self._require_text()
        if by != self.author and not moderates:
            raise NotTheAuthor("Only the author or a manager can delete a note.")
        return replace(self, version=self.version + 1, deleted=True)

    def _require_text(self) -> None:
        if self.deleted:
            raise NoteDeleted("The note was deleted.")
