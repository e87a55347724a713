"""Registering, changing and announcing reps, set-based."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.assignment.reps.rep import RepDetails
from shared.contracts.assignment import RepChanged, RepRegistered
from shared.db.unit_of_work import UnitOfWork

# Lists travel as one text each, because Postgres unnests a list of lists into its single elements; no text that
# is taken in holds a control character.
_SEPARATOR = "\x1f"
_UPSERT = text("""
INSERT INTO reps AS r (rep_id, external_id, name, postal_code, languages, industries, need_kinds,
                       registered_at, changed_at, announced_at)
SELECT i.rep_id, i.external_id, i.name, i.postal_code, string_to_array(i.languages, E'\x1f'),
       string_to_array(i.industries, E'\x1f'), string_to_array(i.need_kinds, E'\x1f'), :now, :now, :now
FROM unnest(CAST(:rep_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:names AS text[]),
            CAST(:postal_codes AS text[]), CAST(:languages AS text[]), CAST(:industries AS text[]),
            CAST(:need_kinds AS text[]))
    AS i (rep_id, external_id, name, postal_code, languages, industries, need_kinds)
ORDER BY i.rep_id
ON CONFLICT (rep_id) DO UPDATE
SET name = excluded.name, postal_code = excluded.postal_code, languages = excluded.languages,
    industries = excluded.industries, need_kinds = excluded.need_kinds, changed_at = excluded.changed_at,
    announced_at = excluded.announced_at
WHERE (r.name, r.postal_code, r.languages, r.industries, r.need_kinds)
    IS DISTINCT FROM (excluded.name, excluded.postal_code, excluded.languages, excluded.industries,
                      excluded.need_kinds)
RETURNING r.rep_id, r.languages, r.industries, r.need_kinds, old.rep_id IS NULL AS registered,
    old.announced_at IS NULL AS unheard_of
""")
# Whom an import holds it announces itself.
_ANNOUNCE = text("""
UPDATE reps AS r SET announced_at = :now FROM (
    SELECT rep_id FROM reps WHERE announced_at IS NULL ORDER BY rep_id LIMIT :limit FOR UPDATE SKIP LOCKED
) AS unheard_of
WHERE r.rep_id = unheard_of.rep_id RETURNING r.rep_id, r.languages, r.industries, r.need_kinds
""")


@dataclass(frozen=True, slots=True)
class AnnounceReps:
    """Tell of up to `limit` reps that nobody was told of."""

    limit: int = 5_000


async def upsert_reps(uow: UnitOfWork, reps: Sequence[RepDetails]) -> tuple[list[UUID], list[UUID]]:
    """Store reps, each at most once, and announce them; return those that are new and those that differ."""
    found = await uow.connection.execute(
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
    rows = found.all()
    # Spelling out thousands of events is pure work: elsewhere, so that the api goes on answering.
    await asyncio.to_thread(
        uow.outbox.add_all, (_event(RepRegistered if row.unheard_of else RepChanged, row) for row in rows)
    )
    registered = [row.rep_id for row in rows if row.registered]
    return registered, [row.rep_id for row in rows if not row.registered]


async def announce_reps(command: AnnounceReps, uow: UnitOfWork) -> int:
    """Announce reps that were registered before reps were announced; return how many."""
    rows = (await uow.connection.execute(_ANNOUNCE, {"limit": command.limit, "now": uow.now})).all()
    uow.outbox.add_all(_event(RepRegistered, row) for row in rows)
    return len(rows)


def _event(contract: type[RepRegistered], row: Row[Any]) -> RepRegistered:
    return contract(
        rep_id=row.rep_id, languages=row.languages, industries=row.industries, need_kinds=row.need_kinds
    )
