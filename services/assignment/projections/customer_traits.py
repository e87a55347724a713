"""Keeps of collab what rules and fit look at: an account's language, channels, and kinds of needs to be met."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from shared.contracts.customers import NeedChanged, PreferencesChanged
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_KEEP_PREFERENCES = text("""
INSERT INTO customer_traits AS t (account_id, language, channels)
SELECT p.account_id, p.language, string_to_array(p.channels, ',') FROM unnest(
    CAST(:accounts AS uuid[]), CAST(:languages AS text[]), CAST(:channels AS text[])
) AS p (account_id, language, channels) ORDER BY p.account_id
ON CONFLICT (account_id) DO UPDATE SET language = excluded.language, channels = excluded.channels
RETURNING t.account_id, old.language IS DISTINCT FROM new.language AS changed
""")
_KEEP_NEEDS = text("""
INSERT INTO customer_needs (need_id, account_id, kind, status)
SELECT * FROM unnest(
    CAST(:needs AS uuid[]), CAST(:accounts AS uuid[]), CAST(:kinds AS text[]), CAST(:statuses AS text[])
) AS n (need_id, account_id, kind, status) ORDER BY n.need_id
ON CONFLICT (need_id) DO UPDATE SET status = excluded.status
""")
_SUM_UP_NEEDS = text("""
INSERT INTO customer_traits AS t (account_id, need)
SELECT asked.account_id, (
    SELECT string_agg(DISTINCT n.kind, ',' ORDER BY n.kind) FROM customer_needs AS n
    WHERE n.account_id = asked.account_id AND n.status IN ('open', 'in_progress')
) FROM unnest(CAST(:accounts AS uuid[])) AS asked (account_id) ORDER BY asked.account_id
ON CONFLICT (account_id) DO UPDATE SET need = excluded.need
RETURNING t.account_id, old.need IS DISTINCT FROM new.need AS changed
""")


async def keep_preferences(received: Sequence[Received[PreferencesChanged]], uow: UnitOfWork) -> list[UUID]:
    """Keep what accounts prefer now, and return those whose language became another."""
    newest = {item.event.account_id: item.event for item in received}
    rows = await uow.connection.execute(
        _KEEP_PREFERENCES,
        {
            "accounts": list(newest),
            "languages": [event.language for event in newest.values()],
            "channels": [",".join(event.channels) for event in newest.values()],
        },
    )
    return [row.account_id for row in rows if row.changed]


async def keep_needs(received: Sequence[Received[NeedChanged]], uow: UnitOfWork) -> list[UUID]:
    """Keep where needs stand, and return the accounts whose kinds of needs to be met became others."""
    newest = {item.event.need_id: item.event for item in received}
    await uow.connection.execute(
        _KEEP_NEEDS,
        {
            "needs": list(newest),
            "accounts": [event.account_id for event in newest.values()],
            "kinds": [event.kind for event in newest.values()],
            "statuses": [event.status for event in newest.values()],
        },
    )
    accounts = list({event.account_id for event in newest.values()})
    rows = await uow.connection.execute(_SUM_UP_NEEDS, {"accounts": accounts})
    return [row.account_id for row in rows if row.changed]
