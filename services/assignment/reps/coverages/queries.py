"""Reading coverages of the territories a caller may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.reps.coverages.coverage import Coverage, RunningCoverage
from shared.db.scope import Scope, require_in_scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class CoveringRep:
    """A rep who covers a territory, with what makes them fit accounts."""

    rep_id: UUID
    role: str
    languages: tuple[str, ...]
    industries: tuple[str, ...]
    need_kinds: tuple[str, ...]


_COVERING = text("""
SELECT c.territory_id, c.rep_id, c.role, r.languages, r.industries, r.need_kinds
FROM coverages AS c JOIN reps AS r USING (rep_id)
WHERE c.territory_id = ANY (CAST(:territory_ids AS uuid[])) AND c.valid @> CAST(:at AS timestamptz)
ORDER BY c.territory_id, c.role, c.rep_id
""")
_VACANT = text("""
SELECT wanted.territory_id FROM unnest(CAST(:territory_ids AS uuid[])) AS wanted (territory_id)
WHERE NOT EXISTS (
    SELECT FROM coverages AS c WHERE c.territory_id = wanted.territory_id AND c.role = 'primary'
      AND c.valid @> CAST(:at AS timestamptz))
""")
# Who covers several territories has one capacity for all of them.
_CAPACITIES = text("""
SELECT c.territory_id, sum(c.share_percent / greatest(100, everywhere.share_percent)) AS capacity
FROM coverages AS c JOIN (
    SELECT rep_id, sum(share_percent) AS share_percent FROM coverages
    WHERE role = 'primary' AND valid @> CAST(:at AS timestamptz) GROUP BY rep_id
) AS everywhere USING (rep_id)
WHERE c.territory_id = ANY (CAST(:territory_ids AS uuid[])) AND c.role = 'primary'
  AND c.valid @> CAST(:at AS timestamptz)
GROUP BY c.territory_id
""")
_HOMES = text("""
SELECT c.territory_id, r.postal_code FROM coverages AS c JOIN reps AS r USING (rep_id)
WHERE c.territory_id = ANY (CAST(:territory_ids AS uuid[])) AND c.role = 'primary'
  AND c.valid @> CAST(:at AS timestamptz) AND r.postal_code IS NOT NULL
""")
_RUNNING = text("""
SELECT c.coverage_id, c.territory_id, c.rep_id, r.external_id, c.role, c.share_percent,
       lower(c.valid) AS valid_from, upper(c.valid) AS valid_to
FROM coverages AS c JOIN reps AS r USING (rep_id)
WHERE c.territory_id = ANY (CAST(:territory_ids AS uuid[])) AND c.valid @> CAST(:at AS timestamptz)
  AND (CAST(:role AS text) IS NULL OR c.role = :role)
ORDER BY c.territory_id, c.role, c.rep_id
""")
_SELECT = f"""
SELECT coverage_id, territory_id, rep_id, role, share_percent, lower(valid) AS valid_from,
       upper(valid) AS valid_to
FROM coverages WHERE {Scope.covers("territory_id")}
"""
_FIND = text(f"{_SELECT} AND coverage_id = :coverage_id")
_LIST = text(f"""{_SELECT}
  AND (CAST(:territory_id AS uuid) IS NULL OR territory_id = :territory_id)
  AND (CAST(:rep_id AS uuid) IS NULL OR rep_id = :rep_id)
  AND (CAST(:running AS boolean) IS NULL OR valid @> CAST(:at AS timestamptz) = :running)
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
    at: datetime,
    scope: Scope,
    page: PageRequest,
) -> list[Coverage]:
    """Return coverages by id, one more than the page holds. Raises NotFound for a territory outside the scope."""
    await require_in_scope(read, territory_id, scope)
    rows = await read.execute(
        _LIST,
        {
            "territory_id": territory_id,
            "rep_id": rep_id,
            "running": running,
            "at": at,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [Coverage(**row) for row in rows.mappings()]


async def list_covering(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, list[CoveringRep]]:
    """Return who covers each of the territories at an instant, whoever asks."""
    found: dict[UUID, list[CoveringRep]] = {territory_id: [] for territory_id in territory_ids}
    for row in await read.execute(_COVERING, {"territory_ids": list(territory_ids), "at": at}):
        found[row.territory_id].append(
            CoveringRep(
                row.rep_id, row.role, tuple(row.languages), tuple(row.industries), tuple(row.need_kinds)
            )
        )
    return found


async def list_vacant(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime
) -> frozenset[UUID]:
    """Return those of the territories that nobody covers as primary at an instant, whoever asks."""
    rows = await read.execute(_VACANT, {"territory_ids": list(territory_ids), "at": at})
    return frozenset(row.territory_id for row in rows)


async def list_capacities(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, Decimal]:
    """Return how much of a full-time rep covers each territory as primary at an instant; vacant ones are left out.

    A rep gives a territory the share of their coverage, less where their shares add up to more than the whole.
    """
    rows = await read.execute(_CAPACITIES, {"territory_ids": list(territory_ids), "at": at})
    return {row.territory_id: row.capacity for row in rows}


async def list_home_codes(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, str]:
    """Return the postal code that the primary rep of each territory lives in, where it is known."""
    rows = await read.execute(_HOMES, {"territory_ids": list(territory_ids), "at": at})
    return {row.territory_id: row.postal_code for row in rows}


async def list_running(
    read: AsyncConnection, territory_ids: Collection[UUID], *, at: datetime, role: str | None = None
) -> list[RunningCoverage]:
    """Return who covers these territories at an instant, in one role or any, whether or not an end is known.

    The caller has checked that they may be seen.
    """
    rows = await read.execute(_RUNNING, {"territory_ids": list(territory_ids), "role": role, "at": at})
    return [RunningCoverage(**row) for row in rows.mappings()]
