"""Why a note is not changed."""

from shared.runtime.refusals import Refusal


class NotTheAuthor(Refusal):
    """A note is its author's: managers may delete it, nobody else may edit it."""


class NoteDeleted(Refusal):
    """The note was deleted; its text is gone."""
