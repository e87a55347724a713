"""Putting notes into inboxes, and what their owners do with them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.notes.inbox.delivery import Delivery, Mentions, deliveries
from services.collab.notes.inbox.queries import (
    MINE,
    InboxCounts,
    InboxItem,
    Mention,
    count_inbox,
    find_item,
    list_mentions,
)
from services.collab.notes.inbox.refusals import NobodyAsked, NotWanted
from services.collab.notes.visibility import Viewer
from services.collab.projections.coverages import find_reps
from shared.contracts.identity import SYSTEM
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound

CHANNEL = "collab_inbox"

_MENTION = text("""
INSERT INTO note_mentions (mention_id, note_id, mentioned_type, mentioned_id, rep_id, wants_acknowledgement)
SELECT m.mention_id, :note, m.mentioned_type, m.mentioned_id, m.rep_id, :wanted
FROM unnest(CAST(:mentions AS uuid[]), CAST(:types AS text[]), CAST(:named AS uuid[]), CAST(:reps AS uuid[]))
    AS m (mention_id, mentioned_type, mentioned_id, rep_id)
""")
# The product writes too, and has no inbox.
_TAKING_PART = text(f"""
SELECT DISTINCT author FROM notes WHERE (note_id = :thread OR thread_id = :thread) AND author <> '{SYSTEM}'
""")
# In one order, so that two notes to the same people never wait for each other crosswise.
_LOCK = text("""
SELECT pg_advisory_xact_lock(hashtextextended('collab.inbox ' || asked.recipient, 0))
FROM (SELECT unnest(CAST(:recipients AS text[])) AS recipient ORDER BY 1) AS asked
""")
_PUT = text("""
INSERT INTO inbox_items (item_id, recipient, note_id, reason, territory_id, wants_acknowledgement, created_at)
SELECT i.item_id, i.recipient, :note, i.reason, i.territory_id, i.wanted, :now
FROM unnest(CAST(:items AS uuid[]), CAST(:recipients AS text[]), CAST(:reasons AS text[]),
            CAST(:territories AS uuid[]), CAST(:wanted AS boolean[]))
    AS i (item_id, recipient, reason, territory_id, wanted)
ORDER BY i.recipient
""")
_RING = text(f"SELECT pg_notify('{CHANNEL}', unnest(CAST(:recipients AS text[])))")
_READ = text("""
UPDATE inbox_items SET read_at = coalesce(read_at, :now)
WHERE item_id = ANY (CAST(:items AS uuid[])) AND recipient = :recipient RETURNING item_id
""")
_ACKNOWLEDGE = text("""
UPDATE inbox_items SET acknowledged_at = coalesce(acknowledged_at, :now), read_at = coalesce(read_at, :now)
WHERE item_id = :item
""")


_NUMBER = text(f"""
UPDATE inbox_items SET number = fresh.number FROM (
    SELECT i.item_id, row_number() OVER (ORDER BY i.seq) + (
        SELECT coalesce(max(last.number), 0) FROM inbox_items AS last WHERE last.recipient = :viewer) AS number
    FROM inbox_items AS i JOIN notes AS n USING (note_id) WHERE i.number IS NULL AND {MINE}
) AS fresh WHERE inbox_items.item_id = fresh.item_id
""")


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Take items of one's own as read."""

    items: frozenset[UUID]
    viewer: Viewer


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Confirm a note, as its author asked."""

    item_id: UUID
    viewer: Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class PutInInboxes:
    """Put a new note before those it mentions and those who take part in its thread."""

    note_id: UUID
    thread_id: UUID | None
    mentions: Mentions
    wants_acknowledgement: bool
    viewer: Viewer


async def put_in_inboxes(command: PutInInboxes, uow: UnitOfWork) -> list[Mention]:
    """Put a note into inboxes, and return what became of its mentions.

    Whoever cannot see the subject finds it once they can. Raises NobodyAsked.
    """
    note_id, mentions, wanted = command.note_id, command.mentions, command.wants_acknowledgement
    if wanted and not mentions:
        raise NobodyAsked("mentions: name who is to acknowledge it, reps or territories.")
    covering = await _covering(uow, mentions.territories)
    taking_part: Sequence[str] = ()
    if command.thread_id is not None:
        taking_part = (
            (await uow.connection.execute(_TAKING_PART, {"thread": command.thread_id})).scalars().all()
        )
    if found := deliveries(mentions, covering, taking_part, author=uow.actor):
        await _put(uow, note_id, found, wants_acknowledgement=wanted)
    if not mentions:
        return []
    await _mention(uow, note_id, mentions, covering, wants_acknowledgement=wanted)
    told = await list_mentions(
        uow.connection, note_id, viewer=command.viewer, at=uow.now, rows=mentions.total
    )
    if wanted and not any(one.delivered for one in told):
        raise NobodyAsked(
            "mentions: none of them can be reached now; name somebody who sees what the note is about.",
            undelivered=[{"type": one.type, "id": str(one.id), "reason": one.reason} for one in told],
        )
    return told


async def number_items(viewer: Viewer, uow: UnitOfWork) -> None:
    """Number what the viewer can see by now, after what they could see before."""
    await uow.connection.execute(_LOCK, {"recipients": [viewer.subject]})
    await uow.connection.execute(_NUMBER, viewer.parameters())


async def mark_read(command: MarkRead, uow: UnitOfWork) -> InboxCounts:
    """Mark items read; those that were, stay so. Raises NotFound for one that is not in the caller's inbox."""
    binds = {"items": sorted(command.items), "recipient": command.viewer.subject, "now": uow.now}
    known = set((await uow.connection.execute(_READ, binds)).scalars())
    if missing := command.items - known:
        raise NotFound(f"item_ids: {min(missing)} is not in your inbox.")
    await _ring(uow, [command.viewer.subject])
    return await count_inbox(uow.connection, command.viewer)


async def acknowledge(command: Acknowledge, uow: UnitOfWork) -> InboxItem:
    """Acknowledge a note; once more changes nothing. Raises NotFound, NotWanted."""
    item = await find_item(uow.connection, command.item_id, viewer=command.viewer)
    if not item.wants_acknowledgement:
        raise NotWanted("item_id: its author asked for no acknowledgement; mark it read.")
    await uow.connection.execute(_ACKNOWLEDGE, {"item": item.item_id, "now": uow.now})
    await _ring(uow, [command.viewer.subject])
    return await find_item(uow.connection, command.item_id, viewer=command.viewer)


async def _covering(uow: UnitOfWork, territories: Collection[UUID]) -> dict[UUID, UUID]:
    found = await find_reps(uow.connection, [(one, uow.now) for one in territories], role="primary")
    return {territory: rep for (territory, _), rep in found.items() if rep is not None}


async def _mention(
    uow: UnitOfWork,
    note_id: UUID,
    mentions: Mentions,
    covering: Mapping[UUID, UUID],
    *,
    wants_acknowledgement: bool,
) -> None:
    named: list[tuple[str, UUID, UUID | None]] = [("rep", rep, rep) for rep in mentions.reps]
    named += [("territory", one, covering.get(one)) for one in mentions.territories]
    await uow.connection.execute(
        _MENTION,
        {
            # Told in this order.
            "mentions": sorted(new_id() for _ in named),
            "types": [kind for kind, _, _ in named],
            "named": [one for _, one, _ in named],
            "reps": [rep for _, _, rep in named],
            "note": note_id,
            "wanted": wants_acknowledgement,
        },
    )


async def _put(
    uow: UnitOfWork, note_id: UUID, found: Sequence[Delivery], *, wants_acknowledgement: bool
) -> None:
    recipients = [one.recipient for one in found]
    await uow.connection.execute(_LOCK, {"recipients": recipients})
    await uow.connection.execute(
        _PUT,
        {
            "items": [new_id() for _ in found],
            "recipients": recipients,
            "reasons": [one.reason for one in found],
            "territories": [one.territory_id for one in found],
            "wanted": [wants_acknowledgement and one.mentioned for one in found],
            "note": note_id,
            "now": uow.now,
        },
    )
    await _ring(uow, recipients)


async def _ring(uow: UnitOfWork, recipients: Sequence[str]) -> None:
    await uow.connection.execute(_RING, {"recipients": list(recipients)})
