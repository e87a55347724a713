"""Writing, editing and deleting notes. Events carry ids; the text never leaves the database."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from services.collab.handoffs.queries import find_account_of
from services.collab.notes.inbox.commands import PutInInboxes, put_in_inboxes
from services.collab.notes.inbox.delivery import NOBODY, Mentions
from services.collab.notes.inbox.queries import Mention
from services.collab.notes.note import Note, SubjectType
from services.collab.notes.queries import NoteRow, Subject, find_note
from services.collab.notes.visibility import VISIBLE, Viewer
from services.collab.projections.account_industries import is_registered
from services.collab.projections.alignments import is_aligned
from services.collab.projections.territories import is_live
from shared.contracts import collab
from shared.contracts.identity import actor_id_of, signature_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound, VersionMismatch


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Put a note on a subject, before those it mentions; they may be asked to acknowledge it."""

    subject: Subject
    body: str
    viewer: Viewer
    mentions: Mentions = NOBODY
    wants_acknowledgement: bool = False
    note_id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer a note: the reply joins its thread, and is put before whoever takes part in it."""

    answers: UUID
    body: str
    viewer: Viewer
    mentions: Mentions = NOBODY
    wants_acknowledgement: bool = False
    note_id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class EditNote:
    """Replace a note's text; the old one is kept as a revision."""

    note_id: UUID
    expected_version: int
    body: str
    viewer: Viewer


@dataclass(frozen=True, slots=True)
class DeleteNote:
    """Remove a note's text, all revisions of it; that it was there stays known."""

    note_id: UUID
    expected_version: int
    viewer: Viewer
    moderates: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A new note, and what became of its mentions."""

    note: NoteRow
    mentions: list[Mention]


# An id that is mistyped makes a note that nobody finds. Goals, plans, rules and reps are not kept here.
_IS_THERE = f"""
CASE n.subject_type
    WHEN 'account' THEN {is_aligned("n.subject_id")} OR {is_registered("n.subject_id")}
    WHEN 'territory' THEN {is_live("n.subject_id")}
    ELSE true
END
"""
# The note is tested before it is written: who may not see it once it stands may not write it either.
_WRITE = text(f"""
INSERT INTO notes (note_id, thread_id, subject_type, subject_id, account_id, author, written_at)
SELECT n.note_id, n.thread_id, n.subject_type, n.subject_id, n.account_id, n.author, CAST(:now AS timestamptz)
FROM (VALUES (
    CAST(:note AS uuid), CAST(:thread AS uuid), CAST(:subject_type AS text), CAST(:subject_id AS uuid),
    CAST(:account AS uuid), CAST(:actor AS text)
)) AS n (note_id, thread_id, subject_type, subject_id, account_id, author)
WHERE {VISIBLE} AND (CAST(:thread AS uuid) IS NOT NULL OR {_IS_THERE})
RETURNING note_id
""")
_REVISE = text("""
INSERT INTO note_revisions (note_id, revision, body, written_by, written_at)
VALUES (:note, :revision, :body, :actor, :now)
""")
_LOCK = text(f"""
SELECT n.note_id, n.author, n.version, n.deleted_at IS NOT NULL AS deleted
FROM notes AS n WHERE n.note_id = :note AND {VISIBLE} FOR UPDATE OF n
""")
_EDIT = text("UPDATE notes SET version = :version, edited_at = :now WHERE note_id = :note")
_DELETE = text("""
UPDATE notes SET version = :version, deleted_at = :now, deleted_by = :actor WHERE note_id = :note
""")
_ERASE_REVISIONS = text("UPDATE note_revisions SET body = NULL WHERE note_id = :note")
# The row stays, or a late retry would write the note again: it gets its first answer, without the text.
# Only the author writes and edits, and only who has it in their inbox acknowledges: theirs are all the keys there
# are to look at. CASE, because other routes' answers need not be JSON.
_ERASE_ANSWERS = text("""
UPDATE idempotency_keys SET response = convert_to(
    CAST(jsonb_set(CAST(convert_from(response, 'UTF8') AS jsonb), '{body}', 'null') AS text), 'UTF8'
)
WHERE principal = :author AND CASE
    WHEN route LIKE '% /v1/notes%' THEN CAST(convert_from(response, 'UTF8') AS jsonb) ->> 'note_id' = :name
    ELSE false
END
""")
_ERASE_EXCERPTS = text("""
UPDATE idempotency_keys SET response = convert_to(
    CAST(jsonb_set(CAST(convert_from(response, 'UTF8') AS jsonb), '{excerpt}', 'null') AS text), 'UTF8'
)
WHERE principal IN (SELECT recipient FROM inbox_items WHERE note_id = :note) AND CASE
    WHEN route LIKE '% /v1/inbox/%' THEN CAST(convert_from(response, 'UTF8') AS jsonb) ->> 'note_id' = :name
    ELSE false
END
""")


async def write_note(command: WriteNote, uow: UnitOfWork) -> Written:
    """Write a note. Raises NotFound for a subject that is not there or outside the writer's scope, NobodyAsked."""
    return await _write(command, None, uow)


async def reply(command: Reply, uow: UnitOfWork) -> Written:
    """Write a reply, about what its thread is about. Raises NotFound, NobodyAsked."""
    answered = await find_note(uow.connection, command.answers, viewer=command.viewer)
    note = WriteNote(
        answered.subject,
        command.body,
        command.viewer,
        command.mentions,
        command.wants_acknowledgement,
        command.note_id,
    )
    return await _write(note, answered.thread_id or answered.note_id, uow)


async def _write(command: WriteNote, thread_id: UUID | None, uow: UnitOfWork) -> Written:
    note_id, subject = command.note_id, command.subject
    binds = {
        **command.viewer.parameters(),
        "note": note_id,
        "thread": thread_id,
        "subject_type": subject.type,
        "subject_id": subject.id,
        "account": await _account_of(subject, uow),
        "actor": signature_of(uow.actor),
        "now": uow.now,
    }
    if (await uow.connection.execute(_WRITE, binds)).one_or_none() is None:
        raise NotFound(f"subject: no such {subject.type}; one that is new is known here in a moment.")
    await _revise(note_id, 1, command.body, uow)
    put = PutInInboxes(
        note_id=note_id,
        thread_id=thread_id,
        mentions=command.mentions,
        wants_acknowledgement=command.wants_acknowledgement,
        viewer=command.viewer,
    )
    mentions = await put_in_inboxes(put, uow)
    uow.outbox.add(
        collab.NoteWritten(
            note_id=note_id,
            revision=1,
            subject_type=subject.type,
            subject_id=str(subject.id),
            author_id=actor_id_of(uow.actor),
            written_at=uow.now,
        )
    )
    return Written(await find_note(uow.connection, note_id, viewer=command.viewer), mentions)


async def edit_note(command: EditNote, uow: UnitOfWork) -> NoteRow:
    """Give a note a new text. Raises NotTheAuthor, NoteDeleted or VersionMismatch."""
    found = await _lock(command.note_id, command.expected_version, command.viewer, uow)
    note = found.edit(by=uow.actor)
    await uow.connection.execute(_EDIT, {"note": note.note_id, "version": note.version, "now": uow.now})
    await _revise(note.note_id, note.version, command.body, uow)
    uow.outbox.add(collab.NoteEdited(note_id=note.note_id, revision=note.version, edited_at=uow.now))
    return await find_note(uow.connection, note.note_id, viewer=command.viewer)


async def delete_note(command: DeleteNote, uow: UnitOfWork) -> NoteRow:
    """Delete a note. Raises NotTheAuthor, NoteDeleted or VersionMismatch."""
    found = await _lock(command.note_id, command.expected_version, command.viewer, uow)
    note = found.delete(by=uow.actor, moderates=command.moderates)
    binds = {"note": note.note_id, "version": note.version, "now": uow.now, "actor": uow.actor}
    await uow.connection.execute(_DELETE, binds)
    await _erase_text(note, uow)
    uow.outbox.add(collab.NoteDeleted(note_id=note.note_id, revision=note.version, deleted_at=uow.now))
    return await find_note(uow.connection, note.note_id, viewer=command.viewer)


async def _account_of(subject: Subject, uow: UnitOfWork) -> UUID | None:
    if subject.type is SubjectType.ACCOUNT:
        return subject.id
    if subject.type is not SubjectType.HANDOFF:
        return None
    account = await find_account_of(uow.connection, subject.id)
    if account is None:
        raise NotFound("subject: no such handoff; look for it among GET /v1/handoffs.")
    return account


async def _revise(note_id: UUID, revision: int, body: str, uow: UnitOfWork) -> None:
    await uow.connection.execute(
        _REVISE,
        {
            "note": note_id,
            "revision": revision,
            "body": body,
            "actor": signature_of(uow.actor),
            "now": uow.now,
        },
    )


async def _lock(note_id: UUID, expected_version: int, viewer: Viewer, uow: UnitOfWork) -> Note:
    row = (await uow.connection.execute(_LOCK, {**viewer.parameters(), "note": note_id})).one_or_none()
    if row is None:
        raise NotFound("note_id: no such note.")
    if row.version != expected_version:
        raise VersionMismatch(f"If-Match: the note is at version {row.version}; read it again.")
    return Note(row.note_id, row.author, row.version, row.deleted)


async def _erase_text(note: Note, uow: UnitOfWork) -> None:
    """Take the text out of wherever this service keeps it: the revisions and the answers kept for retries."""
    await uow.connection.execute(_ERASE_REVISIONS, {"note": note.note_id})
    await uow.connection.execute(_ERASE_ANSWERS, {"author": note.author, "name": str(note.note_id)})
    await uow.connection.execute(_ERASE_EXCERPTS, {"note": note.note_id, "name": str(note.note_id)})
