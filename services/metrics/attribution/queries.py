"""The plan in force, and the territories that a caller means and may ask about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.identity import ORGANISATION, UNASSIGNED
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound

Include = Literal["self", "children", "subtree"]


@dataclass(frozen=True, slots=True)
class AskedTerritories:
    """`rows` get a row each (None: all there are); `tops` do not contain each other and add up to the totals."""

    rows: list[UUID] | None
    tops: list[UUID]


DEPTH: Mapping[Include, int] = {"self": 0, "children": 1, "subtree": 1_000_000}
"""How far below a territory lies what is included."""

# Trees of the past count too: their territories keep their figures in the view as_was.
_KNOWN = text(f"""
SELECT CAST(:territory_id AS uuid) IN ('{UNASSIGNED}', '{ORGANISATION}')
    OR EXISTS (
        SELECT 1 FROM trees t JOIN tree_lines l ON l.tree_id = t.tree_id AND l.territory_id = :territory_id
    )
    OR EXISTS (SELECT 1 FROM alignment_events e WHERE e.territory_id = :territory_id)
""")
_IN_SCOPE = text(f"""
SELECT 1 FROM live_closure c WHERE c.territory_id = :territory_id AND c.depth = 0
    AND {Scope.covers("c.territory_id")}
""")
_BELOW = text("""
SELECT territory_id FROM live_closure WHERE ancestor_id = :territory_id AND depth <= :depth
""")
_SCOPED = text("""
SELECT DISTINCT territory_id FROM live_closure WHERE ancestor_id = ANY(CAST(:scope_roots AS uuid[]))
""")
_TOPS = text("""
SELECT c.territory_id FROM live_closure c
WHERE c.depth = 0 AND c.territory_id = ANY(CAST(:scope_roots AS uuid[]))
  AND NOT EXISTS (
      SELECT 1 FROM live_closure a
      WHERE a.territory_id = c.territory_id AND a.depth > 0 AND a.ancestor_id = ANY(CAST(:scope_roots AS uuid[]))
  )
""")


class LivePlan(NamedTuple):
    """The plan in force and its tree, as of an instant; None before the first activation."""

    plan_id: UUID | None
    tree_id: UUID | None
    as_of: datetime


_LIVE_PLAN = text("SELECT plan_id, tree_id, now() FROM live_plan")


async def find_live_plan(read: AsyncConnection) -> LivePlan:
    """Return what is in force in the snapshot that is read."""
    return LivePlan(*(await read.execute(_LIVE_PLAN)).one())


async def find_asked_territories(
    read: AsyncConnection, *, territory_id: UUID | None, include: Include, scope: Scope
) -> AskedTerritories:
    """Return whose figures to read. Raises NotFound for a territory that is unknown or outside the scope."""
    if territory_id is not None:
        await require_territory(read, territory_id, scope)
        below = await read.execute(_BELOW, {"territory_id": territory_id, "depth": DEPTH[include]})
        return AskedTerritories(rows=sorted({territory_id, *below.scalars()}), tops=[territory_id])
    if scope.everything:
        return AskedTerritories(rows=None, tops=[ORGANISATION])
    roots = {"scope_roots": list(scope.roots)}
    return AskedTerritories(
        rows=list((await read.execute(_SCOPED, roots)).scalars()),
        tops=list((await read.execute(_TOPS, roots)).scalars()),
    )


async def require_territory(read: AsyncConnection, territory_id: UUID, scope: Scope) -> None:
    """Check that the caller may ask about the territory. Raises NotFound."""
    names = {"territory_id": territory_id, **scope.parameters()}
    found = await read.execute(_KNOWN if scope.everything else _IN_SCOPE, names)
    if not found.scalar():
        raise NotFound("territory_id: no such territory.")
