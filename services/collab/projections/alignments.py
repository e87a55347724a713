"""The territory each account is in now, from assignment's account events."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.assignment import AccountAligned
from shared.db.scope import Scope
from shared.messaging.received import Received

_KNOWN = text("""
SELECT account_id, version FROM current_alignments WHERE account_id = ANY(CAST(:accounts AS uuid[]))
""")
_KEEP = text("""
INSERT INTO current_alignments AS kept (account_id, territory_id, version, valid_from)
SELECT * FROM unnest(
    CAST(:accounts AS uuid[]), CAST(:territories AS uuid[]), CAST(:versions AS bigint[]),
    CAST(:moments AS timestamptz[])
)
ON CONFLICT (account_id) DO UPDATE SET
    territory_id = excluded.territory_id, version = excluded.version, valid_from = excluded.valid_from
WHERE kept.version < excluded.version
""")


async def keep_alignments(
    received: Sequence[Received[AccountAligned]], connection: AsyncConnection
) -> list[AccountAligned]:
    """Keep the newest alignment of each account and return those that were news, in their order."""
    accounts = list({item.event.account_id for item in received})
    known = {row.account_id: row.version for row in await connection.execute(_KNOWN, {"accounts": accounts})}
    fresh = [item for item in received if item.version > known.get(item.event.account_id, 0)]
    if fresh:
        await connection.execute(_KEEP, _columns(fresh))
    return [item.event for item in fresh]


def _columns(fresh: Sequence[Received[AccountAligned]]) -> dict[str, object]:
    newest = list({item.event.account_id: item for item in fresh}.values())
    return {
        "accounts": [item.event.account_id for item in newest],
        "territories": [item.event.to_territory_id for item in newest],
        "versions": [item.version for item in newest],
        "moments": [item.event.valid_from for item in newest],
    }


def territory_of(account: str) -> str:
    """Return SQL for the territory that the account in this column is in now."""
    return f"(SELECT a.territory_id FROM current_alignments AS a WHERE a.account_id = {account})"


def is_aligned(account: str) -> str:
    """Return SQL that is true where the account in this column was ever in a territory or a gap."""
    return f"EXISTS (SELECT 1 FROM current_alignments AS a WHERE a.account_id = {account})"


_IN_SCOPE = text(f"""
SELECT coalesce({Scope.covers(territory_of("CAST(:account AS uuid)"))}, false)
""")


async def is_in_scope(read: AsyncConnection, account_id: UUID, scope: Scope) -> bool:
    """Return whether the account lies in the scope now; one in a gap lies in the whole organisation's only."""
    covered: bool = (
        await read.execute(_IN_SCOPE, {**scope.parameters(), "account": account_id})
    ).scalar_one()
    return covered


async def find_territory(read: AsyncConnection, account_id: UUID) -> UUID | None:
    """Return the territory an account is in now, None in a gap."""
    statement = text(f"SELECT {territory_of('CAST(:account AS uuid)')}")
    territory: UUID | None = (await read.execute(statement, {"account": account_id})).scalar_one()
    return territory
