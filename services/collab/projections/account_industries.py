"""The industry of each account, from assignment's account events; compared in lower case."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.contracts.assignment import AccountRegistered
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_KEEP = text("""
INSERT INTO account_industries AS kept (account_id, version, industry)
SELECT i.account_id, i.version, lower(i.industry) FROM unnest(
    CAST(:accounts AS uuid[]), CAST(:versions AS bigint[]), CAST(:industries AS text[])
) AS i (account_id, version, industry)
ORDER BY i.account_id
ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, industry = excluded.industry
WHERE kept.version < excluded.version
""")


def is_registered(account: str) -> str:
    """Return SQL that is true where assignment has told of the account in this column."""
    return f"EXISTS (SELECT 1 FROM account_industries AS registered WHERE registered.account_id = {account})"


async def keep_industries(received: Sequence[Received[AccountRegistered]], uow: UnitOfWork) -> None:
    """Keep the newest industry of each account; a change carries all attributes, as a registration does."""
    newest = {item.event.account_id: item for item in received}
    await uow.connection.execute(
        _KEEP,
        {
            "accounts": list(newest),
            "versions": [item.version for item in newest.values()],
            "industries": [item.event.industry for item in newest.values()],
        },
    )
