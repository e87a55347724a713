"""Takes a deleted note's text out of wherever this service keeps it: its revisions and the answers kept for retries."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_REVISIONS = text("UPDATE note_revisions SET body = NULL WHERE note_id = :note")
# The row stays, or a late retry would write the note again: it gets its first answer, without the text.
# Only the author writes and edits, so the author's keys are all there is to look at. CASE, because other
# routes' answers need not be JSON.
_ANSWERS = text("""
UPDATE idempotency_keys SET response = convert_to(
    CAST(jsonb_set(CAST(convert_from(response, 'UTF8') AS jsonb), '{body}', 'null') AS text), 'UTF8'
)
WHERE principal = :author AND CASE
    WHEN route LIKE '% /v1/notes%' THEN CAST(convert_from(response, 'UTF8') AS jsonb) ->> 'note_id' = :name
    ELSE false
END
""")


async def erase_text(connection: AsyncConnection, note_id: UUID, *, author: str) -> None:
    """Erase every text the note has had."""
    await connection.execute(_REVISIONS, {"note": note_id})
    await connection.execute(_ANSWERS, {"author": author, "name": str(note_id)})
