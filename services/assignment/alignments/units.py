"""Reads accounts as units of matching: a plan's values first, then where they belong now."""

from collections.abc import AsyncIterator, Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.realignment import ACCOUNT_ID, Unit
from services.assignment.rules.condition import FIELDS

# Decoding a chunk holds the event loop for some 20 ms; all of 100,000 rows at once would hold it for 200.
CHUNK = 10_000

_COLUMNS = f"{', '.join(FIELDS)}, account_id, territory_id, rule_id, reason, valid_from"
_FROM = "FROM account_units LEFT JOIN open_alignments USING (account_id)"
_CHUNK = text(f"""
SELECT {_COLUMNS} {_FROM}
WHERE CAST(:after AS uuid) IS NULL OR account_id > :after ORDER BY account_id LIMIT :rows
""")
_SOME = text(f"""
SELECT {_COLUMNS} {_FROM} WHERE account_id = ANY (CAST(:account_ids AS uuid[])) ORDER BY account_id
""")


async def read_units(
    read: AsyncConnection, *, after: UUID | None = None, chunk: int = CHUNK
) -> AsyncIterator[list[Unit]]:
    """Walk all accounts by id, in chunks. One picture only within a snapshot or under the live pointer's lock."""
    while True:
        rows: list[Unit] = [*await read.execute(_CHUNK, {"after": after, "rows": chunk})]
        if rows:
            yield rows
        if len(rows) < chunk:
            return
        after = rows[-1][ACCOUNT_ID]


async def read_some_units(read: AsyncConnection, account_ids: Collection[UUID]) -> list[Unit]:
    """Return the units of these accounts, by id."""
    return [*await read.execute(_SOME, {"account_ids": list(account_ids)})]
