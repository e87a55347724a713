"""Reads accounts as units of matching: a plan's values first, then where they belong now."""

from collections.abc import AsyncIterator, Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.realignment import ACCOUNT_ID, Unit
from services.assignment.rules.condition import FIELDS

# Decoding a chunk holds the event loop for some 30 ms; 100,000 rows at once would hold it for half a second.
CHUNK = 5_000

_SELECT = f"""
SELECT {", ".join(FIELDS)}, account_id, territory_id, rule_id, reason, valid_from
FROM account_units LEFT JOIN open_alignments USING (account_id)
"""
# The alignments are bounded like the accounts: without that, every chunk reads them from the beginning.
_CHUNK = text(f"""
SELECT {", ".join(FIELDS)}, unit.account_id, territory_id, rule_id, reason, valid_from
FROM account_units AS unit
LEFT JOIN (SELECT * FROM open_alignments WHERE account_id > :after) AS alignment
    ON alignment.account_id = unit.account_id
WHERE unit.account_id > :after ORDER BY unit.account_id LIMIT :rows
""")
_SOME = text(f"{_SELECT} WHERE account_id = ANY (CAST(:account_ids AS uuid[])) ORDER BY account_id")
_BEFORE_ALL = UUID(int=0)


async def read_units(
    read: AsyncConnection, *, after: UUID | None = None, chunk: int = CHUNK
) -> AsyncIterator[list[Unit]]:
    """Walk all accounts by id, in chunks. One picture only within a snapshot or under the live pointer's lock."""
    after = after or _BEFORE_ALL
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
