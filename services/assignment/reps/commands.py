"""Registering and changing reps, set-based."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from services.assignment.reps.rep import RepDetails
from shared.db.unit_of_work import UnitOfWork

# Lists travel as one text each, because Postgres unnests a list of lists into its single elements; no text that
# is taken in holds a control character.
_SEPARATOR = "\x1f"
_UPSERT = text("""
INSERT INTO reps AS r (rep_id, external_id, name, postal_code, languages, industries, need_kinds,
                       registered_at, changed_at)
SELECT i.rep_id, i.external_id, i.name, i.postal_code, string_to_array(i.languages, E'\x1f'),
       string_to_array(i.industries, E'\x1f'), string_to_array(i.need_kinds, E'\x1f'), :now, :now
FROM unnest(CAST(:rep_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:names AS text[]),
            CAST(:postal_codes AS text[]), CAST(:languages AS text[]), CAST(:industries AS text[]),
            CAST(:need_kinds AS text[]))
    AS i (rep_id, external_id, name, postal_code, languages, industries, need_kinds)
ORDER BY i.rep_id
ON CONFLICT (rep_id) DO UPDATE
SET name = excluded.name, postal_code = excluded.postal_code, languages = excluded.languages,
    industries = excluded.industries, need_kinds = excluded.need_kinds, changed_at = excluded.changed_at
WHERE (r.name, r.postal_code, r.languages, r.industries, r.need_kinds)
    IS DISTINCT FROM (excluded.name, excluded.postal_code, excluded.languages, excluded.industries,
                      excluded.need_kinds)
RETURNING r.rep_id, old.rep_id IS NULL AS registered
""")


async def upsert_reps(uow: UnitOfWork, reps: Sequence[RepDetails]) -> tuple[list[UUID], list[UUID]]:
    """Store reps, each at most once; return those that are new and those that differ from before."""
    rows = await uow.connection.execute(
        _UPSERT,
        {
            "rep_ids": [rep.rep_id for rep in reps],
            "external_ids": [rep.external_id for rep in reps],
            "names": [rep.name for rep in reps],
            "postal_codes": [rep.postal_code for rep in reps],
            "languages": [_SEPARATOR.join(rep.languages) for rep in reps],
            "industries": [_SEPARATOR.join(rep.industries) for rep in reps],
            "need_kinds": [_SEPARATOR.join(rep.need_kinds) for rep in reps],
            "now": uow.now,
        },
    )
    registered: list[UUID] = []
    changed: list[UUID] = []
    for row in rows:
        (registered if row.registered else changed).append(row.rep_id)
    return registered, changed
