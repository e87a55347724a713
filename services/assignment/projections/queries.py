"""Reading the measures of accounts: one by one, or summed over where accounts go."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.account import AccountMeasures

_SUM = text("""
SELECT i.path, m.currency, sum(m.trailing_revenue) AS revenue, sum(m.open_pipeline) AS pipeline
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:paths AS int[])) AS i (account_id, path)
JOIN account_measures AS m USING (account_id)
GROUP BY i.path, m.currency ORDER BY i.path, m.currency
""")
_FIND = text("""
SELECT account_id, currency, trailing_revenue AS revenue, open_pipeline AS pipeline
FROM account_measures WHERE account_id = ANY (CAST(:account_ids AS uuid[]))
ORDER BY account_id, currency
""")


async def sum_measures(
    read: AsyncConnection, account_ids: Sequence[UUID], paths: Sequence[int]
) -> list[tuple[int, AccountMeasures]]:
    """Sum the measures of accounts by the number of the path each of them takes."""
    rows = await read.execute(_SUM, {"account_ids": list(account_ids), "paths": list(paths)})
    return [(row.path, AccountMeasures(row.currency, row.revenue, row.pipeline)) for row in rows]


async def find_measures(
    read: AsyncConnection, account_ids: Sequence[UUID]
) -> dict[UUID, list[AccountMeasures]]:
    """Return the measures of accounts; one without any is left out."""
    found: dict[UUID, list[AccountMeasures]] = {}
    for row in await read.execute(_FIND, {"account_ids": list(account_ids)}):
        found.setdefault(row.account_id, []).append(AccountMeasures(row.currency, row.revenue, row.pipeline))
    return found
