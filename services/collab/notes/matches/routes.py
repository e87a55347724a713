"""Searching notes over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.collab.notes.matches.queries import list_matches
from services.collab.notes.schemas import NoteView
from services.collab.notes.visibility import Viewer
from shared.http.bodies import Name
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.security import Reader

router = APIRouter(prefix="/v1/note-matches", tags=["notes"])


@router.get("")
async def list_note_matches(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    words: Annotated[
        Name,
        Query(description='All of these words, in any language; "a phrase", or, and -without work as usual.'),
    ],
) -> Page[NoteView]:
    """Search the notes and replies that you can see, the newest first."""
    viewer = Viewer(by.subject, by.scope)
    rows = await list_matches(read, words, viewer=viewer, before=page.after, rows=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.note_id)
    return Page(items=[NoteView.of(item) for item in items], next_cursor=cursor)
