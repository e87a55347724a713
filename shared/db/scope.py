"""Who may see which territories, as one SQL predicate inside the read or write itself.

Every service keeps a relation `live_closure(ancestor_id, territory_id)`, depth 0 included, of the live tree.
The subtree is resolved in the database on each request, so re-parenting a territory acts at once.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Scope:
    """The roots of the subtrees a caller may see; `everything` for the whole organisation."""

    everything: bool
    roots: tuple[UUID, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Return the bind parameters of the predicate."""
        return {"scope_everything": self.everything, "scope_roots": list(self.roots)}

    @staticmethod
    def covers(column: str, *, closure: str = "live_closure") -> str:
        """Return SQL that is true where the territory in `column` lies in the caller's scope.

        A row without territory is visible to the whole organisation's callers only. `closure` names
        another relation of the same shape, such as a draft plan's.
        """
        # Only names from the code enter the text; what a caller sends is bound.
        return (
            "(CAST(:scope_everything AS boolean) OR "
            f"{column} IN (SELECT scoped.territory_id FROM {closure} AS scoped "
            "WHERE scoped.ancestor_id = ANY(CAST(:scope_roots AS uuid[]))))"
        )


EVERYWHERE = Scope(everything=True)
_HOLDS = text(f"SELECT 1 WHERE {Scope.covers('CAST(:territory_id AS uuid)')}")


async def require_in_scope(read: AsyncConnection, territory_id: UUID | None, scope: Scope) -> None:
    """Check a territory that a list is narrowed to, if it is. Raises NotFound, as for what lies there.

    An empty list would say that there is nothing, where the answer is that it is not the caller's to see. The
    whole organisation's callers may ask for territories of the past.
    """
    if territory_id is None or scope.everything:
        return
    if (await read.execute(_HOLDS, {**scope.parameters(), "territory_id": territory_id})).first() is None:
        raise NotFound("territory_id: no such territory.")
