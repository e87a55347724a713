"""Which tellings contradict what is stored, and those that do not count for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.facts.fact_row import FactRow
from services.metrics.facts.queries import COLUMNS, FactFound, visible
from shared.db.scope import Scope
from shared.http.pagination import PageRequest

# OFFSET 0 keeps the lookups by key: as a plain join the planner may read all facts instead.
_CONTRADICTIONS = text("""
SELECT s.ordinal FROM unnest(
    CAST(:keys AS uuid[]), CAST(:revisions AS int[]), CAST(:hashes AS uuid[])
) WITH ORDINALITY AS s (entity_key, revision, payload_hash, ordinal)
CROSS JOIN LATERAL (
    SELECT f.revision, f.payload_hash FROM facts f WHERE f.entity_key = s.entity_key OFFSET 0
) AS f
WHERE f.revision = s.revision AND f.payload_hash <> s.payload_hash
""")


async def find_contradictions(read: AsyncConnection, suspects: Sequence[FactRow]) -> list[FactRow]:
    """Return those that tell a stored revision differently."""
    names = {
        "keys": [row.entity_key for row in suspects],
        "revisions": [row.revision for row in suspects],
        "hashes": [row.payload_hash for row in suspects],
    }
    found = await read.execute(_CONTRADICTIONS, names)
    return [suspects[ordinal - 1] for (ordinal,) in found]


class FactConflict(NamedTuple):
    """A telling that does not count."""

    conflict_id: UUID
    told: FactFound


@dataclass(frozen=True, slots=True)
class ConflictsAsked:
    """Which conflicts; None does not narrow."""

    entity_key: UUID | None
    account_id: UUID | None
    source: str | None


# Both sides have to be the caller's: a telling that names another's account, or a fact that is another's, says
# what that account bought.
_VISIBLE = f"""(CAST(:scope_everything AS boolean) OR ({visible("c")} AND NOT EXISTS (
    SELECT 1 FROM facts f WHERE f.entity_key = c.entity_key AND {visible("f")} IS NOT TRUE
)))"""
_CONFLICTS = text(f"""
SELECT conflict_id, {COLUMNS} FROM fact_conflicts c
WHERE {_VISIBLE}
  AND (CAST(:entity_key AS uuid) IS NULL OR c.entity_key = :entity_key)
  AND (CAST(:account_id AS uuid) IS NULL OR c.account_id = :account_id)
  AND (CAST(:source AS text) IS NULL OR c.source = :source)
  AND (CAST(:before AS uuid) IS NULL OR c.conflict_id < :before)
ORDER BY conflict_id DESC LIMIT :limit
""")


async def find_conflicts(
    read: AsyncConnection, asked: ConflictsAsked, page: PageRequest, *, scope: Scope
) -> list[FactConflict]:
    """Return a page of conflicts, the newest first, and one more if there is one."""
    names = {
        "entity_key": asked.entity_key,
        "account_id": asked.account_id,
        "source": asked.source,
        "before": page.after,
        "limit": page.limit + 1,
        **scope.parameters(),
    }
    found = await read.execute(_CONFLICTS, names)
    return [FactConflict(conflict_id, FactFound(*told)) for conflict_id, *told in found]
