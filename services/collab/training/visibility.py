"""Which reps a caller may see and act for: those who cover a territory in the scope, whether or not an end is known."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.projections.reps import rep_known
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


def rep_in_scope(rep: str) -> str:
    """Return SQL that is true where the rep in this column covers a territory in the caller's scope at `:at`."""
    return (
        f"(CAST(:scope_everything AS boolean) OR {rep} IN (SELECT covering.rep_id FROM coverages AS covering "
        "WHERE covering.valid_from <= :at AND (covering.valid_to IS NULL OR covering.valid_to > :at) "
        f"AND {Scope.covers('covering.territory_id')}))"
    )


def rep_visible(rep: str) -> str:
    """Return SQL that is true where the caller may read about the rep: their own training, too."""
    return f"({rep_in_scope(rep)} OR CAST({rep} AS text) = CAST(:viewer AS text))"


_IN_SCOPE = text(f"""
SELECT {rep_in_scope("asked.rep_id")} AND {rep_known("asked.rep_id")}
FROM (SELECT CAST(:rep AS uuid) AS rep_id) AS asked
""")


async def require_rep(connection: AsyncConnection, rep_id: UUID, *, scope: Scope, at: datetime) -> None:
    """Check that the caller may act for a rep at an instant. Raises NotFound."""
    found = await connection.execute(_IN_SCOPE, {**scope.parameters(), "at": at, "rep": rep_id})
    if not found.scalar_one():
        raise NotFound(
            "rep_id: no such rep, or none who covers a territory of yours; take an id that assignment's GET /v1/reps lists."
        )
