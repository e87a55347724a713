"""Registering and changing reps, set-based."""

from collections.abc import Sequence

from sqlalchemy import text

from services.assignment.reps.rep import RepDetails
from shared.db.unit_of_work import UnitOfWork

_UPSERT = text("""
INSERT INTO reps AS r (rep_id, external_id, name, postal_code, registered_at, changed_at)
SELECT i.rep_id, i.external_id, i.name, i.postal_code, :now, :now
FROM unnest(CAST(:rep_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:names AS text[]),
            CAST(:postal_codes AS text[])) AS i (rep_id, external_id, name, postal_code)
ORDER BY i.rep_id
ON CONFLICT (rep_id) DO UPDATE
SET name = excluded.name, postal_code = excluded.postal_code, changed_at = excluded.changed_at
WHERE (r.name, r.postal_code) IS DISTINCT FROM (excluded.name, excluded.postal_code)
RETURNING old.rep_id IS NULL AS registered
""")


async def upsert_reps(uow: UnitOfWork, reps: Sequence[RepDetails]) -> tuple[int, int]:
    """Store reps, each at most once; return how many are new and how many differ from before."""
    rows = await uow.connection.execute(
        _UPSERT,
        {
            "rep_ids": [rep.rep_id for rep in reps],
            "external_ids": [rep.external_id for rep in reps],
            "names": [rep.name for rep in reps],
            "postal_codes": [rep.postal_code for rep in reps],
            "now": uow.now,
        },
    )
    outcomes = [row.registered for row in rows]
    return outcomes.count(True), outcomes.count(False)
