"""Whoever takes an account on takes on its needs, too: those that the rep before them looked after."""

from uuid import UUID

from sqlalchemy import text

from services.collab.customers.needs.need import LIVE
from shared.db.unit_of_work import UnitOfWork

# Who closed a need stays its owner. In the order of ids, so that this never waits crosswise with another change.
_PASS_ON = text("""
WITH theirs AS (
    SELECT need_id FROM needs
    WHERE account_id = :account AND owner_rep_id = :before AND status = ANY (CAST(:live AS text[]))
    ORDER BY need_id FOR UPDATE
)
UPDATE needs AS n SET owner_rep_id = :after, version = n.version + 1, changed_at = :now
FROM theirs WHERE n.need_id = theirs.need_id
""")


async def pass_needs_on(
    account_id: UUID, *, before: UUID | None, after: UUID | None, uow: UnitOfWork
) -> None:
    """Give one rep's needs that are still to be met to another; where either is nobody, they stay as they are."""
    if before is None or after is None or before == after:
        return
    binds = {"account": account_id, "before": before, "after": after, "live": sorted(LIVE), "now": uow.now}
    await uow.connection.execute(_PASS_ON, binds)
