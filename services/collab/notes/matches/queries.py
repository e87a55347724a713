"""Searching notes by their words."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.notes.queries import SELECT_NOTE, NoteRow, note_of
from services.collab.notes.visibility import VISIBLE, Viewer

# Only the text that stands: a word that was edited out is found no more.
_MATCHES = text(f"""
{SELECT_NOTE}
WHERE r.words @@ websearch_to_tsquery('simple', :words) AND n.deleted_at IS NULL AND {VISIBLE}
  AND (CAST(:before AS uuid) IS NULL OR n.note_id < CAST(:before AS uuid))
ORDER BY n.note_id DESC LIMIT :rows
""")


async def list_matches(
    read: AsyncConnection, words: str, *, viewer: Viewer, before: UUID | None, rows: int
) -> list[NoteRow]:
    """Return notes that have the words, the newest first, as far as the viewer may see them."""
    binds = {**viewer.parameters(), "words": words, "before": before, "rows": rows}
    return [note_of(row) for row in await read.execute(_MATCHES, binds)]
