"""Reconciliations made so far."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.reconciliations.reconciliation import Reconciliation
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_SELECT = "SELECT reconciliation_id, asked_by, made_at, cells, facts, differing"
_PAGE = text(f"""
{_SELECT} FROM reconciliations
WHERE (CAST(:equal AS boolean) IS NULL OR (differing = 0) = :equal)
  AND (CAST(:before AS uuid) IS NULL OR reconciliation_id < :before)
ORDER BY reconciliation_id DESC LIMIT :limit
""")
_ONE = text(f"{_SELECT}, differences FROM reconciliations WHERE reconciliation_id = :reconciliation_id")


async def find_reconciliations(
    read: AsyncConnection, page: PageRequest, *, equal: bool | None
) -> list[Reconciliation]:
    """Return a page, the newest first, without the differences, and one more if there is one."""
    names = {"equal": equal, "before": page.after, "limit": page.limit + 1}
    return [Reconciliation(*row) for row in await read.execute(_PAGE, names)]


async def find_reconciliation(read: AsyncConnection, reconciliation_id: UUID) -> Reconciliation:
    """Return one with its differences. Raises NotFound."""
    row = (await read.execute(_ONE, {"reconciliation_id": reconciliation_id})).one_or_none()
    if row is None:
        raise NotFound("reconciliation_id: no such reconciliation.")
    return Reconciliation(*row)
