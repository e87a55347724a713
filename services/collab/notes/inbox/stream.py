"""Follows an inbox as it changes: each item once and in order, from wherever the reader was.

An item is numbered when a stream of its owner first sees it, under the lock of the inbox. So one that was put in
earlier but can be seen only now, because its account has moved to them, comes after what was seen before it, and
whoever has seen a number has seen all below it.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.collab.notes.inbox.commands import number_items
from services.collab.notes.inbox.queries import (
    InboxCounts,
    InboxItem,
    count_inbox,
    is_unnumbered,
    last_number,
    list_after,
)
from services.collab.notes.visibility import Viewer
from shared.db.bell import Bell, until_rung
from shared.db.engine import begin_snapshot
from shared.db.transact import Transactor

ROWS = 100
# The bell may miss a ring; scopes and trees change without one.
LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What changed since the last look, and the number to go on from.

    `strange` is a number that this inbox never had: what came before `after` is not told.
    """

    items: list[InboxItem]
    counts: InboxCounts
    after: int
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Inbox:
    """One reader's inbox, looked at through the api's database."""

    engine: AsyncEngine
    transact: Transactor
    bell: Bell
    viewer: Viewer

    async def follow(self, after: int | None, *, ended: Callable[[], bool]) -> AsyncIterator[Seen]:
        """Yield what came after a number (None: from now on), at once and whenever something changes."""
        told: InboxCounts | None = None
        with self.bell.waiting(self.viewer.subject) as rung:
            while not ended():
                # Before the look: what comes during it rings again.
                rung.clear()
                seen = await self._look(after)
                if seen.items or seen.strange or seen.counts != told:
                    yield seen
                after, told = seen.after, seen.counts
                if len(seen.items) < ROWS:
                    await until_rung(rung, ended, seconds=LOOK_SECONDS)

    async def _look(self, after: int | None) -> Seen:
        async with self.engine.connect() as read:
            await begin_snapshot(read)
            if not await is_unnumbered(read, self.viewer):
                return await self._read(read, after)
        await self.transact(number_items, self.viewer, actor=self.viewer.subject)
        async with self.engine.connect() as read:
            await begin_snapshot(read)
            return await self._read(read, after)

    async def _read(self, read: AsyncConnection, after: int | None) -> Seen:
        counts, last = await count_inbox(read, self.viewer), await last_number(read, self.viewer)
        if after is None or after > last:
            return Seen([], counts, last, strange=after is not None)
        items = await list_after(read, self.viewer, after=after, rows=ROWS)
        return Seen(items, counts, (items[-1].number if items else None) or after)
