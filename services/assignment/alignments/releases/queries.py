"""Reading which accounts are still held by hand although their pin has run out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_OVERDUE = text("""
SELECT alignment.account_id
FROM live_plan
JOIN pin_expiries AS pin ON pin.plan_id = live_plan.plan_id AND pin.expires_at <= :at
JOIN open_alignments AS alignment ON alignment.account_id = pin.account_id
-- Of whichever plan: what a clone keeps as it was stays with the plan that put it there.
WHERE alignment.cause = 'pin'
ORDER BY alignment.account_id LIMIT :rows
""")


async def list_overdue(read: AsyncConnection, *, at: datetime, rows: int) -> list[UUID]:
    """Return accounts that the live plan's expired pins still hold, by id."""
    return [row.account_id for row in await read.execute(_OVERDUE, {"at": at, "rows": rows})]
