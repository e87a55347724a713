"""Reading coverages of the territories a caller may see."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.reps.coverages.coverage import Coverage
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_SELECT = f"""
SELECT coverage_id, territory_id, rep_id, role, share_percent, lower(valid) AS valid_from,
       upper(valid) AS valid_to
FROM coverages WHERE {Scope.covers("territory_id")}
"""
_FIND = text(f"{_SELECT} AND coverage_id = :coverage_id")
_LIST = text(f"""{_SELECT}
  AND (CAST(:territory_id AS uuid) IS NULL OR territory_id = :territory_id)
  AND (CAST(:rep_id AS uuid) IS NULL OR rep_id = :rep_id)
  AND (CAST(:running AS boolean) IS NULL OR upper_inf(valid) = :running)
  AND (CAST(:after AS uuid) IS NULL OR coverage_id > :after)
ORDER BY coverage_id LIMIT :rows
""")


async def find_coverage(read: AsyncConnection, coverage_id: UUID, *, scope: Scope) -> Coverage:
    """Return one coverage. Raises NotFound."""
    found = await read.execute(_FIND, {"coverage_id": coverage_id, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("coverage_id: there is no such coverage.")
    return Coverage(**row)


async def list_coverages(
    read: AsyncConnection,
    *,
    territory_id: UUID | None,
    rep_id: UUID | None,
    running: bool | None,
    scope: Scope,
    page: PageRequest,
) -> list[Coverage]:
    """Return coverages by id, one more than the page holds."""
    rows = await read.execute(
        _LIST,
        {
            "territory_id": territory_id,
            "rep_id": rep_id,
            "running": running,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [Coverage(**row) for row in rows.mappings()]
