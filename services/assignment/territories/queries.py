"""Reading the territories of a plan, as far as the caller may see."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.territories.tree import Territory, TerritoryKind, Tree
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

# The subtrees of the plan at hand, which may be a draft: `plan_id` is bound by the query around it.
PLAN_CLOSURE = "(SELECT ancestor_id, territory_id FROM plan_closure WHERE plan_id = :plan_id)"

_SELECT = "SELECT territory_id, parent_id, name, kind, code FROM territories WHERE plan_id = :plan_id"
_TREE = text(f"{_SELECT} ORDER BY territory_id")
_FIND = text(
    f"{_SELECT} AND territory_id = :territory_id AND {Scope.covers('territory_id', closure=PLAN_CLOSURE)}"
)
_LIST = text(f"""{_SELECT}
  AND {Scope.covers("territory_id", closure=PLAN_CLOSURE)}
  AND (CAST(:after AS uuid) IS NULL OR territory_id > :after)
ORDER BY territory_id LIMIT :rows
""")
_VISIBLE = text(f"""
SELECT wanted.territory_id FROM unnest(CAST(:wanted AS uuid[])) AS wanted (territory_id)
WHERE {Scope.covers("wanted.territory_id", closure=PLAN_CLOSURE)}
""")
_LIVE = text(f"""
SELECT 1 FROM live_closure WHERE territory_id = :territory_id AND {Scope.covers("territory_id")} LIMIT 1
""")
_KNOWN = text(f"""
SELECT 1 FROM territories WHERE territory_id = :territory_id AND {Scope.covers("territory_id")} LIMIT 1
""")
_FOREIGN = text(f"""
SELECT 1 FROM live_closure WHERE territory_id = :territory_id AND NOT {Scope.covers("territory_id")} LIMIT 1
""")
_BELOW = text("""
SELECT DISTINCT territory_id FROM plan_closure
WHERE plan_id = :plan_id AND ancestor_id = ANY (CAST(:roots AS uuid[]))
""")


def _territory(row: Row[Any]) -> Territory:
    return Territory(row.territory_id, row.parent_id, row.name, TerritoryKind(row.kind), row.code)


async def load_tree(read: AsyncConnection, plan_id: UUID) -> Tree:
    """Return the whole tree of a plan; empty when it has none."""
    return Tree(tuple(_territory(row) for row in await read.execute(_TREE, {"plan_id": plan_id})))


async def find_territory(
    read: AsyncConnection, plan_id: UUID, territory_id: UUID, *, scope: Scope
) -> Territory:
    """Return one territory of a plan. Raises NotFound."""
    row = (
        await read.execute(_FIND, {"plan_id": plan_id, "territory_id": territory_id, **scope.parameters()})
    ).one_or_none()
    if row is None:
        raise NotFound("territory_id: the plan has no such territory.")
    return _territory(row)


async def list_territories(
    read: AsyncConnection, plan_id: UUID, *, scope: Scope, page: PageRequest
) -> list[Territory]:
    """Return territories of a plan by id, one more than the page holds."""
    rows = await read.execute(
        _LIST,
        {"plan_id": plan_id, "after": page.after, "rows": page.limit + 1, **scope.parameters()},
    )
    return [_territory(row) for row in rows]


async def require_in_scope(
    read: AsyncConnection, plan_id: UUID, wanted: Collection[UUID], *, scope: Scope
) -> None:
    """Check that the caller may act on these territories of a plan. Raises NotFound."""
    rows = await read.execute(_VISIBLE, {"plan_id": plan_id, "wanted": list(wanted), **scope.parameters()})
    if {row.territory_id for row in rows} != set(wanted):
        raise NotFound("territory_id: the plan has no such territory.")


async def require_live_territory(read: AsyncConnection, territory_id: UUID, *, scope: Scope) -> None:
    """Check that the live plan has this territory where the caller may see it. Raises NotFound."""
    found = await read.execute(_LIVE, {"territory_id": territory_id, **scope.parameters()})
    if found.first() is None:
        raise NotFound("territory_id: the live plan has no such territory.")


async def require_not_foreign(read: AsyncConnection, territory_id: UUID, *, scope: Scope) -> None:
    """Check that the live plan does not hold this territory outside the caller's scope. Raises NotFound."""
    found = await read.execute(_FOREIGN, {"territory_id": territory_id, **scope.parameters()})
    if found.first() is not None:
        raise NotFound("territory_id: the plan has no such territory.")


async def list_below(read: AsyncConnection, plan_id: UUID | None, roots: Collection[UUID]) -> frozenset[UUID]:
    """Return the territories under these roots in one plan, the roots themselves included."""
    rows = await read.execute(_BELOW, {"plan_id": plan_id, "roots": list(roots)})
    return frozenset(row.territory_id for row in rows)


async def require_known_territory(read: AsyncConnection, territory_id: UUID, *, scope: Scope) -> None:
    """Check that some plan has this territory, and the live one where the caller may see it. Raises NotFound."""
    found = await read.execute(_KNOWN, {"territory_id": territory_id, **scope.parameters()})
    if found.first() is None:
        raise NotFound("territory_id: no plan has such a territory.")
