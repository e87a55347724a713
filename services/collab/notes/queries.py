"""Reads of notes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.notes.note import SubjectType
from services.collab.notes.visibility import VISIBLE, Viewer, first_visible
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Subject:
    """What a note is about."""

    type: SubjectType
    id: UUID


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as readers see it; a deleted one has no body."""

    note_id: UUID
    thread_id: UUID | None
    subject: Subject
    body: str | None
    author: str
    version: int
    written_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    deleted_by: str | None


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One state of a note's text; `body` is None once the note is deleted."""

    revision: int
    body: str | None
    written_by: str
    written_at: datetime


# A deleted note has no revision of its version, hence the outer join.
SELECT_NOTE = """
SELECT n.note_id, n.thread_id, n.subject_type, n.subject_id, r.body, n.author, n.version, n.written_at, n.edited_at,
    n.deleted_at, n.deleted_by
FROM notes AS n LEFT JOIN note_revisions AS r ON r.note_id = n.note_id AND r.revision = n.version
"""
_REVISIONS = text("""
SELECT revision, body, written_by, written_at FROM note_revisions
WHERE note_id = :note AND revision > CAST(:after AS int) ORDER BY revision LIMIT :limit
""")
# Replies are about what their thread is about, and so are seen with it.
_REPLIES = text(f"""
{SELECT_NOTE} WHERE n.thread_id = :thread AND n.deleted_at IS NULL
  AND (CAST(:after AS uuid) IS NULL OR n.note_id > CAST(:after AS uuid))
ORDER BY n.note_id LIMIT :limit
""")
_COUNT = text(f"""
SELECT count(*) FROM notes AS n WHERE n.account_id = :account AND n.deleted_at IS NULL AND {VISIBLE}
""")
_CONDITIONS = {
    "subject_type": "n.subject_type = :subject_type",
    "subject_id": "n.subject_id = :subject_id",
    "after": "n.note_id > :after",
}


async def list_notes(
    read: AsyncConnection,
    *,
    subject_type: SubjectType | None,
    subject_id: UUID | None,
    viewer: Viewer,
    after: UUID | None,
    limit: int,
) -> list[NoteRow]:
    """Return the notes that have a text, in the order they were written."""
    given = {"subject_type": subject_type, "subject_id": subject_id, "after": after}
    binds = {name: value for name, value in given.items() if value is not None}
    where = await first_visible(
        read,
        viewer,
        " AND ".join(["n.deleted_at IS NULL", *(_CONDITIONS[name] for name in binds)]),
        selective=subject_id is not None,
    )
    statement = text(f"{SELECT_NOTE} WHERE {where} ORDER BY n.note_id LIMIT :limit")
    rows = await read.execute(statement, {**viewer.parameters(), **binds, "limit": limit})
    return [note_of(row) for row in rows]


async def find_note(read: AsyncConnection, note_id: UUID, *, viewer: Viewer) -> NoteRow:
    """Return one note, deleted or not. Raises NotFound."""
    statement = text(f"{SELECT_NOTE} WHERE n.note_id = :note AND {VISIBLE}")
    row = (await read.execute(statement, {**viewer.parameters(), "note": note_id})).one_or_none()
    if row is None:
        raise NotFound("note_id: no such note.")
    return note_of(row)


async def list_replies(
    read: AsyncConnection, note_id: UUID, *, viewer: Viewer, after: UUID | None, limit: int
) -> list[NoteRow]:
    """Return the replies of a thread that have a text, in the order they were written. Raises NotFound."""
    await find_note(read, note_id, viewer=viewer)
    rows = await read.execute(_REPLIES, {"thread": note_id, "after": after, "limit": limit})
    return [note_of(row) for row in rows]


async def list_revisions(
    read: AsyncConnection, note_id: UUID, *, viewer: Viewer, after: int, limit: int
) -> list[RevisionRow]:
    """Return revisions of a note after one of them, the first one first. Raises NotFound."""
    await find_note(read, note_id, viewer=viewer)
    rows = await read.execute(_REVISIONS, {"note": note_id, "after": after, "limit": limit})
    return [RevisionRow(row.revision, row.body, row.written_by, row.written_at) for row in rows]


async def count_account_notes(read: AsyncConnection, account_id: UUID, *, viewer: Viewer) -> int:
    """Return how many notes the viewer may read on an account and its handoffs."""
    binds = {**viewer.parameters(), "account": account_id}
    counted: int = (await read.execute(_COUNT, binds)).scalar_one()
    return counted


def note_of(row: Row[Any]) -> NoteRow:
    """Return a row of SELECT_NOTE as a note."""
    return NoteRow(
        note_id=row.note_id,
        thread_id=row.thread_id,
        subject=Subject(SubjectType(row.subject_type), row.subject_id),
        body=row.body,
        author=row.author,
        version=row.version,
        written_at=row.written_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        deleted_by=row.deleted_by,
    )
