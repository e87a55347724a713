"""Reading inboxes: what is in one, as far as its owner may see the notes, and how much of it is unread."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.notes.inbox.delivery import Reason
from services.collab.notes.inbox.outcome import Reach, Undelivered, why_undelivered
from services.collab.notes.note import SubjectType
from services.collab.notes.visibility import VISIBLE, Viewer, visible_to
from services.collab.projections.territories import is_live
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

EXCERPT = 280


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A note that was put before somebody, and what they did with it.

    `number` counts the items of an inbox as its owner could see them, for who follows it; None until somebody does.
    """

    item_id: UUID
    number: int | None
    reason: Reason
    territory_id: UUID | None
    note_id: UUID
    thread_id: UUID
    subject_type: SubjectType
    subject_id: UUID
    author: str
    excerpt: str
    wants_acknowledgement: bool
    created_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many items are unread, and how many wait for an acknowledgement."""

    unread: int
    to_acknowledge: int


@dataclass(frozen=True, slots=True)
class Mention:
    """Whom a note mentions, and what became of it.

    `recipient`, and when they were asked to acknowledge and did, is None where it meant nobody, or nobody of whom
    the viewer may know.
    """

    mention_id: UUID
    type: str
    id: UUID
    recipient: str | None
    reason: Undelivered | None
    asked_at: datetime | None
    acknowledged_at: datetime | None

    @property
    def delivered(self) -> bool:
        """Tell whether it reaches somebody."""
        return self.reason is None


# What lies outside the scope by now, or was deleted, is neither shown nor counted.
MINE = f"i.recipient = :viewer AND n.deleted_at IS NULL AND {VISIBLE}"
_SELECT = f"""
SELECT i.item_id, i.number, i.reason, i.territory_id, n.note_id, coalesce(n.thread_id, n.note_id) AS thread_id,
       n.subject_type, n.subject_id, n.author, left(r.body, {EXCERPT}) AS excerpt, i.wants_acknowledgement,
       i.created_at, i.read_at, i.acknowledged_at
FROM inbox_items AS i JOIN notes AS n USING (note_id)
JOIN note_revisions AS r ON r.note_id = n.note_id AND r.revision = n.version
WHERE {MINE}
"""
_ONE = text(f"{_SELECT} AND i.item_id = :item")
_PAGE = text(f"""{_SELECT}
  AND (CAST(:unread AS boolean) IS NULL OR (i.read_at IS NULL) = CAST(:unread AS boolean))
  AND (CAST(:before AS uuid) IS NULL OR i.item_id < CAST(:before AS uuid))
ORDER BY i.item_id DESC LIMIT :rows
""")
_AFTER = text(f"{_SELECT} AND i.number > :after ORDER BY i.number LIMIT :rows")
_COUNT = text(f"""
SELECT count(*) FILTER (WHERE i.read_at IS NULL) AS unread,
       count(*) FILTER (WHERE i.wants_acknowledgement AND i.acknowledged_at IS NULL) AS to_acknowledge
FROM inbox_items AS i JOIN notes AS n USING (note_id) WHERE {MINE}
""")
_UNNUMBERED = text(f"""
SELECT EXISTS (SELECT 1 FROM inbox_items AS i JOIN notes AS n USING (note_id) WHERE i.number IS NULL AND {MINE})
""")
_LAST = text("SELECT coalesce(max(number), 0) FROM inbox_items WHERE recipient = :viewer")
# Scopes travel in tokens; of others collab knows what they cover. Who read a note has seen it, whatever that says.
_MENTIONS = text(f"""
SELECT m.mention_id, m.mentioned_type, m.mentioned_id, m.rep_id, i.acknowledged_at,
    CASE WHEN i.wants_acknowledgement THEN i.created_at END AS asked_at,
    CAST(m.rep_id AS text) IS NOT DISTINCT FROM n.author AS by_author,
    i.read_at IS NOT NULL OR (covering.ever AND {visible_to("CAST(m.rep_id AS text)", "covering.now")}) AS sees,
    CASE m.mentioned_type
        WHEN 'territory' THEN {is_live("m.mentioned_id")} AND {Scope.covers("m.mentioned_id")}
        ELSE EXISTS (
            SELECT 1 FROM coverages AS c WHERE c.rep_id = m.mentioned_id AND {Scope.covers("c.territory_id")})
    END AS known
FROM note_mentions AS m
JOIN notes AS n USING (note_id)
LEFT JOIN inbox_items AS i ON i.note_id = m.note_id AND i.recipient = CAST(m.rep_id AS text)
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS ever, array_agg(c.territory_id) FILTER (
        WHERE c.valid_from <= :at AND (c.valid_to IS NULL OR c.valid_to > :at)) AS now
    FROM coverages AS c WHERE c.rep_id = m.rep_id
) AS covering
WHERE m.note_id = :note AND (m.wants_acknowledgement OR NOT CAST(:asked AS boolean))
  AND (CAST(:after AS uuid) IS NULL OR m.mention_id > CAST(:after AS uuid))
ORDER BY m.mention_id LIMIT :rows
""")


async def find_item(read: AsyncConnection, item_id: UUID, *, viewer: Viewer) -> InboxItem:
    """Return one item of the viewer's inbox. Raises NotFound."""
    row = (await read.execute(_ONE, {**viewer.parameters(), "item": item_id})).one_or_none()
    if row is None:
        raise NotFound("item_id: it is not in your inbox.")
    return _item(row)


async def list_inbox(
    read: AsyncConnection, viewer: Viewer, *, unread: bool | None, page: PageRequest
) -> list[InboxItem]:
    """Return a page of the viewer's inbox, the newest first, and one more if there is one."""
    binds = {**viewer.parameters(), "unread": unread, "before": page.after, "rows": page.limit + 1}
    return [_item(row) for row in await read.execute(_PAGE, binds)]


async def list_after(read: AsyncConnection, viewer: Viewer, *, after: int, rows: int) -> list[InboxItem]:
    """Return what the viewer could see after a number, in the order in which they could."""
    binds = {**viewer.parameters(), "after": after, "rows": rows}
    return [_item(row) for row in await read.execute(_AFTER, binds)]


async def count_inbox(read: AsyncConnection, viewer: Viewer) -> InboxCounts:
    """Count exactly what the viewer may see."""
    row = (await read.execute(_COUNT, viewer.parameters())).one()
    return InboxCounts(row.unread, row.to_acknowledge)


async def is_unnumbered(read: AsyncConnection, viewer: Viewer) -> bool:
    """Return whether the viewer can see something by now that has no number yet."""
    unnumbered: bool = (await read.execute(_UNNUMBERED, viewer.parameters())).scalar_one()
    return unnumbered


async def last_number(read: AsyncConnection, viewer: Viewer) -> int:
    """Return the last number of the viewer's inbox, 0 if it has none."""
    number: int = (await read.execute(_LAST, {"viewer": viewer.subject})).scalar_one()
    return number


async def list_mentions(
    read: AsyncConnection, note_id: UUID, *, viewer: Viewer, at: datetime, rows: int
) -> list[Mention]:
    """Return what became of each mention of a note, as far as the viewer may know."""
    binds = {"note": note_id, "at": at, "asked": False, "after": None, "rows": rows}
    return [_mention(row) for row in await read.execute(_MENTIONS, {**viewer.parameters(), **binds})]


async def list_acknowledgements(
    read: AsyncConnection, note_id: UUID, *, viewer: Viewer, at: datetime, page: PageRequest
) -> list[Mention]:
    """Return whose acknowledgement of a note is asked for; the caller has checked that it may be seen."""
    binds = {"note": note_id, "at": at, "asked": True, "after": page.after, "rows": page.limit + 1}
    return [_mention(row) for row in await read.execute(_MENTIONS, {**viewer.parameters(), **binds})]


def _mention(row: Row[Any]) -> Mention:
    reach = Reach(
        of_territory=row.mentioned_type == "territory",
        known=row.known,
        covered=row.rep_id is not None,
        by_author=row.by_author,
        sees=row.sees,
    )
    reason = why_undelivered(reach)
    shown = row.rep_id is not None and (reason is None or row.known)
    return Mention(
        mention_id=row.mention_id,
        type=row.mentioned_type,
        id=row.mentioned_id,
        recipient=str(row.rep_id) if shown else None,
        reason=reason,
        asked_at=row.asked_at if shown else None,
        acknowledged_at=row.acknowledged_at if shown else None,
    )


def _item(row: Row[Any]) -> InboxItem:
    return InboxItem(
        row.item_id,
        row.number,
        Reason(row.reason),
        row.territory_id,
        row.note_id,
        row.thread_id,
        SubjectType(row.subject_type),
        row.subject_id,
        row.author,
        row.excerpt,
        row.wants_acknowledgement,
        row.created_at,
        row.read_at,
        row.acknowledged_at,
    )
