"""Two tellings of one revision: the first stays, the other is kept for whoever has to find out why."""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.facts.fact_row import FactRow
from shared.contracts.money import NO_CURRENCY, from_minor
from shared.db.unit_of_work import UnitOfWork

# OFFSET 0 keeps the lookups by key: as a plain join the planner may read all facts instead.
_FIND = text("""
SELECT s.ordinal FROM unnest(
    CAST(:keys AS uuid[]), CAST(:revisions AS int[]), CAST(:hashes AS uuid[])
) WITH ORDINALITY AS s (entity_key, revision, payload_hash, ordinal)
CROSS JOIN LATERAL (
    SELECT f.revision, f.payload_hash FROM facts f WHERE f.entity_key = s.entity_key OFFSET 0
) AS f
WHERE f.revision = s.revision AND f.payload_hash <> s.payload_hash
""")
_KEEP = text("""
INSERT INTO fact_conflicts (entity_key, revision, payload_hash, payload, found_at)
SELECT c.entity_key, c.revision, c.payload_hash, CAST(c.payload AS jsonb), :now
FROM unnest(CAST(:keys AS uuid[]), CAST(:revisions AS int[]), CAST(:hashes AS uuid[]), CAST(:payloads AS text[]))
    AS c (entity_key, revision, payload_hash, payload)
ORDER BY c.entity_key, c.revision, c.payload_hash
ON CONFLICT DO NOTHING
""")


async def find_contradictions(suspects: Sequence[FactRow], connection: AsyncConnection) -> list[FactRow]:
    """Return those that tell a stored revision differently."""
    found = await connection.execute(_FIND, _names(suspects))
    return [suspects[ordinal - 1] for (ordinal,) in found]


async def keep_conflicts(conflicts: Sequence[FactRow], uow: UnitOfWork) -> None:
    """Keep the refused tellings, each once."""
    if conflicts:
        payloads = [json.dumps(_said(row)) for row in conflicts]
        await uow.connection.execute(_KEEP, {**_names(conflicts), "payloads": payloads, "now": uow.now})


def _names(rows: Sequence[FactRow]) -> dict[str, list[object]]:
    return {
        "keys": [row.entity_key for row in rows],
        "revisions": [row.revision for row in rows],
        "hashes": [row.payload_hash for row in rows],
    }


def _said(row: FactRow) -> dict[str, object]:
    money = row.currency != NO_CURRENCY
    return {
        "source": row.source,
        "kind": row.kind,
        "external_id": row.external_id,
        "stage": row.stage,
        "account_id": str(row.account_id) if row.account_id else None,
        "occurred_at": row.occurred_at.isoformat(),
        "amount": str(from_minor(row.amount_minor, row.currency)) if money else None,
        "currency": row.currency if money else None,
        "voided": row.voided,
    }
