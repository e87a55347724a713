"""Which rep covers which territory, from assignment's coverage events; asked when somebody reads."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received, last_of_each

_START = text("""
INSERT INTO coverages (coverage_id, territory_id, rep_id, valid_from, role)
SELECT * FROM unnest(
    CAST(:coverages AS uuid[]), CAST(:territories AS uuid[]), CAST(:reps AS uuid[]),
    CAST(:moments AS timestamptz[]), CAST(:roles AS text[])
)
ON CONFLICT (coverage_id) DO NOTHING
""")
_END = text("""
UPDATE coverages SET valid_to = ended.valid_to
FROM unnest(CAST(:coverages AS uuid[]), CAST(:moments AS timestamptz[])) AS ended (coverage_id, valid_to)
WHERE coverages.coverage_id = ended.coverage_id
""")


async def start_coverages(received: Sequence[Received[CoverageStarted]], uow: UnitOfWork) -> None:
    """Note who covers a territory from now on."""
    await uow.connection.execute(
        _START,
        {
            "coverages": [item.event.coverage_id for item in received],
            "territories": [item.event.territory_id for item in received],
            "reps": [item.event.rep_id for item in received],
            "moments": [item.event.valid_from for item in received],
            "roles": [item.event.role for item in received],
        },
    )


async def end_coverages(received: Sequence[Received[CoverageEnded]], uow: UnitOfWork) -> None:
    """Note until when somebody covered a territory; the end told last counts."""
    events = last_of_each(received, lambda event: event.coverage_id)
    await uow.connection.execute(
        _END,
        {
            "coverages": [event.coverage_id for event in events],
            "moments": [event.valid_to for event in events],
        },
    )


def rep_of(territory: str, at: str, role: str = "NULL") -> str:
    """Return SQL for the rep who covers the territory in one column at the instant in another.

    `role` is a column, too: null for whatever role, the primary first.
    """
    return (
        f"(SELECT c.rep_id FROM coverages AS c WHERE c.territory_id = {territory} AND c.valid_from <= {at} "
        f"AND (c.valid_to IS NULL OR c.valid_to > {at}) AND c.role = coalesce({role}, c.role) "
        "ORDER BY c.role <> 'primary', c.valid_from DESC LIMIT 1)"
    )


_REPS = text(f"""
SELECT asked.territory_id, asked.at, {rep_of("asked.territory_id", "asked.at", "CAST(:role AS text)")} AS rep_id
FROM unnest(CAST(:territories AS uuid[]), CAST(:moments AS timestamptz[])) AS asked (territory_id, at)
""")
_REPS_ABOVE = text(f"""
SELECT asked.territory_id, above.ancestor_id, above.rep_id
FROM unnest(CAST(:territories AS uuid[])) AS asked (territory_id) CROSS JOIN LATERAL (
    SELECT covered.ancestor_id, covered.rep_id FROM (
        SELECT up.ancestor_id, up.depth, {rep_of("up.ancestor_id", ":at", "CAST(:role AS text)")} AS rep_id
        FROM tree_closures AS up JOIN live_plan AS live USING (tree_id)
        WHERE up.territory_id = asked.territory_id AND up.depth > 0
    ) AS covered WHERE covered.rep_id IS NOT NULL ORDER BY covered.depth LIMIT 1
) AS above
""")
_COVERING = text("""
SELECT DISTINCT c.rep_id FROM coverages AS c
WHERE c.valid_from <= :at AND (c.valid_to IS NULL OR c.valid_to > :at) AND c.territory_id IN (
    SELECT CAST(:territory AS uuid)
    UNION SELECT up.ancestor_id FROM live_closure AS up WHERE up.territory_id = CAST(:territory AS uuid)
)
""")


@dataclass(frozen=True, slots=True)
class Told:
    """Who is to be told, as the one who covers which territory."""

    territory_id: UUID | None
    rep_id: UUID | None


async def find_reps(
    connection: AsyncConnection, asked: Iterable[tuple[UUID, datetime]], *, role: str | None = None
) -> dict[tuple[UUID, datetime], UUID | None]:
    """Return who covered each territory at the instant asked for, None where nobody did."""
    pairs = list(set(asked))
    rows = await connection.execute(
        _REPS,
        {
            "territories": [pair[0] for pair in pairs],
            "moments": [pair[1] for pair in pairs],
            "role": role,
        },
    )
    return {(row.territory_id, row.at): row.rep_id for row in rows}


async def find_covering(
    connection: AsyncConnection, territory_id: UUID | None, *, at: datetime
) -> frozenset[UUID]:
    """Return whoever covers a territory or one above it, in whatever role; nobody covers a gap."""
    rows = await connection.execute(_COVERING, {"territory": territory_id, "at": at})
    return frozenset(rows.scalars())


async def find_reps_above(
    connection: AsyncConnection, territories: Collection[UUID], *, at: datetime, role: str
) -> dict[UUID | None, Told]:
    """Return, by territory, who covers the nearest one above it that somebody covers; none for the rest."""
    rows = await connection.execute(_REPS_ABOVE, {"territories": list(territories), "at": at, "role": role})
    return {row.territory_id: Told(row.ancestor_id, row.rep_id) for row in rows}
