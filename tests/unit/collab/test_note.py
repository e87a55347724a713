from uuid import UUID

import pytest

from services.collab.notes.note import Note
from services.collab.notes.refusals import NoteDeleted, NotTheAuthor

NOTE = Note(UUID(int=1), "ann", 3, deleted=False)


def test_the_author_edits_and_deletes():
    assert NOTE.edit(by="ann").version == 4
    assert NOTE.delete(by="ann", moderates=False).deleted


def test_a_manager_deletes_and_does_not_edit():
    assert NOTE.delete(by="boss", moderates=True).deleted
    for refused in (
        lambda: NOTE.edit(by="boss"),
        lambda: NOTE.delete(by="bob", moderates=False),
    ):
        with pytest.raises(NotTheAuthor):
            refused()


def test_a_deleted_note_stays_deleted():
    gone = NOTE.delete(by="ann", moderates=False)
    for refused in (lambda: gone.edit(by="ann"), lambda: gone.delete(by="ann", moderates=True)):
        with pytest.raises(NoteDeleted):
            refused()
