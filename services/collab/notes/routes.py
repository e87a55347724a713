"""Notes over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.notes import commands, queries
from services.collab.notes.commands import DeleteNote, EditNote, Reply, WriteNote, Written
from services.collab.notes.inbox.queries import list_acknowledgements
from services.collab.notes.inbox.schemas import AcknowledgementView, mentions_of
from services.collab.notes.note import SubjectType
from services.collab.notes.queries import NoteRow, Subject
from services.collab.notes.schemas import (
    NewNoteBody,
    NoteEditBody,
    NoteView,
    ReplyBody,
    RevisionView,
    WrittenNoteView,
)
from services.collab.notes.visibility import Viewer
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import InvalidCursor, Page, PageParameters, PageRequest, page_of
from shared.http.present import Now
from shared.http.principal import MANAGERS, Principal
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/notes", tags=["notes"])

_MAX_REVISION = 2**31 - 1


@router.post("", status_code=201, response_model=WrittenNoteView, responses=describe(404))
async def create_note(by: Writer, run: RunCommand, body: NewNoteBody) -> Response:
    """Write a note on something you can see.

    The answer tells of each mention whether it reaches somebody who can see the note now, and why not.
    """
    command = WriteNote(
        Subject(body.subject.type, body.subject.id),
        body.body,
        _viewer(by),
        mentions_of(body.mentions),
        body.wants_acknowledgement,
    )
    return await run.run(
        commands.write_note,
        command,
        by=by,
        show=WrittenNoteView.of_written,
        status=201,
        version=lambda written: _version(written.note),
        location=_location,
    )


@router.get("")
async def list_notes(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    subject_type: SubjectType | None = None,
    subject_id: UUID | None = None,
) -> Page[NoteView]:
    """List notes in the order they were written, without the deleted ones."""
    rows = await queries.list_notes(
        read,
        subject_type=subject_type,
        subject_id=subject_id,
        viewer=_viewer(by),
        after=page.after,
        limit=page.limit + 1,
    )
    items, cursor = page_of(rows, page, lambda row: row.note_id)
    return Page(items=[NoteView.of(item) for item in items], next_cursor=cursor)


@router.get("/{note_id}")
async def get_note(by: Reader, read: Snapshot, note_id: UUID, response: Response) -> NoteView:
    """Return a note, or what is left of a deleted one."""
    note = await queries.find_note(read, note_id, viewer=_viewer(by))
    response.headers["etag"] = etag_of(note.version)
    return NoteView.of(note)


@router.post("/{note_id}/replies", status_code=201, response_model=WrittenNoteView, responses=describe(404))
async def create_reply(by: Writer, run: RunCommand, note_id: UUID, body: ReplyBody) -> Response:
    """Answer a note: whoever takes part in its thread finds the reply in their inbox.

    The answer tells of each mention whether it reaches somebody who can see it now, and why not.
    """
    command = Reply(note_id, body.body, _viewer(by), mentions_of(body.mentions), body.wants_acknowledgement)
    return await run.run(
        commands.reply,
        command,
        by=by,
        show=WrittenNoteView.of_written,
        status=201,
        version=lambda written: _version(written.note),
        location=_location,
    )


@router.get("/{note_id}/replies")
async def list_replies(by: Reader, read: Snapshot, note_id: UUID, page: PageParameters) -> Page[NoteView]:
    """List the replies to the first note of a thread, in the order they were written."""
    rows = await queries.list_replies(
        read, note_id, viewer=_viewer(by), after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda note: note.note_id)
    return Page(items=[NoteView.of(note) for note in items], next_cursor=cursor)


@router.get("/{note_id}/acknowledgements")
async def list_note_acknowledgements(
    by: Reader, read: Snapshot, now: Now, note_id: UUID, page: PageParameters
) -> Page[AcknowledgementView]:
    """List the mentions who were asked to acknowledge a note: who did, and whom it does not reach now."""
    await queries.find_note(read, note_id, viewer=_viewer(by))
    rows = await list_acknowledgements(read, note_id, viewer=_viewer(by), at=now, page=page)
    items, cursor = page_of(rows, page, lambda one: one.mention_id)
    return Page(items=[AcknowledgementView.model_validate(one) for one in items], next_cursor=cursor)


@router.get("/{note_id}/revisions")
async def list_revisions(
    by: Reader, read: Snapshot, note_id: UUID, page: PageParameters
) -> Page[RevisionView]:
    """List every text the note has had, the first one first."""
    rows = await queries.list_revisions(
        read, note_id, viewer=_viewer(by), after=_revision_after(page), limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: UUID(int=row.revision))
    return Page(items=[RevisionView.of(item) for item in items], next_cursor=cursor)


@router.patch("/{note_id}", response_model=NoteView, responses=describe(409))
async def update_note(
    by: Writer, run: RunCommand, note_id: UUID, version: ExpectedVersion, body: NoteEditBody
) -> Response:
    """Replace the text of your note; the old one stays readable as a revision."""
    command = EditNote(note_id, version, body.body, _viewer(by))
    return await run.run(commands.edit_note, command, by=by, show=NoteView.of, version=_version)


@router.delete("/{note_id}", response_model=NoteView, responses=describe(409))
async def delete_note(by: Writer, run: RunCommand, note_id: UUID, version: ExpectedVersion) -> Response:
    """Delete a note: its text and all its revisions are removed for good, its place stays."""
    command = DeleteNote(note_id, version, _viewer(by), moderates=bool(by.roles & MANAGERS))
    return await run.run(commands.delete_note, command, by=by, show=NoteView.of, version=_version)


def _viewer(by: Principal) -> Viewer:
    return Viewer(by.subject, by.scope)


def _revision_after(page: PageRequest) -> int:
    # Cursors carry ids; a revision travels as the id of that number, so another list's cursor is out of range.
    after = 0 if page.after is None else page.after.int
    if after > _MAX_REVISION:
        raise InvalidCursor("cursor: send next_cursor exactly as you got it, or leave it out.")
    return after


def _version(note: NoteRow) -> int:
    return note.version


def _location(written: Written) -> str:
    return f"/v1/notes/{written.note.note_id}"
