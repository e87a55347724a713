"""Which rep covers which territory, from assignment's coverage events; asked when somebody reads."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_START = text("""
INSERT INTO coverages (coverage_id, territory_id, rep_id, valid_from)
SELECT * FROM unnest(
    CAST(:coverages AS uuid[]), CAST(:territories AS uuid[]), CAST(:reps AS uuid[]),
    CAST(:moments AS timestamptz[])
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
        },
    )


async def end_coverages(received: Sequence[Received[CoverageEnded]], uow: UnitOfWork) -> None:
    """Note until when somebody covered a territory."""
    await uow.connection.execute(
        _END,
        {
            "coverages": [item.event.coverage_id for item in received],
            "moments": [item.event.valid_to for item in received],
        },
    )


def rep_of(territory: str, at: str) -> str:
    """Return SQL for the rep who covers the territory in one column at the instant in another."""
    return (
        f"(SELECT c.rep_id FROM coverages AS c WHERE c.territory_id = {territory} AND c.valid_from <= {at} "
        f"AND (c.valid_to IS NULL OR c.valid_to > {at}) ORDER BY c.valid_from DESC LIMIT 1)"
    )


_REPS = text(f"""
SELECT asked.territory_id, asked.at, {rep_of("asked.territory_id", "asked.at")} AS rep_id
FROM unnest(CAST(:territories AS uuid[]), CAST(:moments AS timestamptz[])) AS asked (territory_id, at)
""")


async def find_reps(
    connection: AsyncConnection, asked: Iterable[tuple[UUID, datetime]]
) -> dict[tuple[UUID, datetime], UUID | None]:
    """Return who covered each territory at the instant asked for, None where nobody did."""
    pairs = list(set(asked))
    rows = await connection.execute(
        _REPS, {"territories": [pair[0] for pair in pairs], "moments": [pair[1] for pair in pairs]}
    )
    return {(row.territory_id, row.at): row.rep_id for row in rows}
