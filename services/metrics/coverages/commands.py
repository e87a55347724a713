"""Which rep covered which territory when, from assignment's events in any order."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.contracts.assignment import CoverageEnded, CoverageStarted
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received, last_of_each

# A coverage is known whole when both its events were read: each writes its own half.
_START = text("""
INSERT INTO coverages AS c (coverage_id, territory_id, rep_id, role, valid_from)
SELECT * FROM unnest(
    CAST(:coverages AS uuid[]), CAST(:territories AS uuid[]), CAST(:reps AS uuid[]), CAST(:roles AS text[]),
    CAST(:moments AS timestamptz[])
) AS s (coverage_id, territory_id, rep_id, role, valid_from) ORDER BY s.coverage_id
ON CONFLICT (coverage_id) DO UPDATE SET role = excluded.role, valid_from = excluded.valid_from
""")
_END = text("""
INSERT INTO coverages AS c (coverage_id, territory_id, rep_id, valid_to)
SELECT * FROM unnest(
    CAST(:coverages AS uuid[]), CAST(:territories AS uuid[]), CAST(:reps AS uuid[]), CAST(:moments AS timestamptz[])
) AS s (coverage_id, territory_id, rep_id, valid_to) ORDER BY s.coverage_id
ON CONFLICT (coverage_id) DO UPDATE SET valid_to = excluded.valid_to
""")


async def start_coverages(batch: Sequence[Received[CoverageStarted]], uow: UnitOfWork) -> None:
    """Note from when on reps cover territories."""
    events = last_of_each(batch, lambda event: event.coverage_id)
    await uow.connection.execute(
        _START,
        {
            "coverages": [event.coverage_id for event in events],
            "territories": [event.territory_id for event in events],
            "reps": [event.rep_id for event in events],
            "roles": [event.role for event in events],
            "moments": [event.valid_from for event in events],
        },
    )


async def end_coverages(batch: Sequence[Received[CoverageEnded]], uow: UnitOfWork) -> None:
    """Note until when reps covered territories."""
    events = last_of_each(batch, lambda event: event.coverage_id)
    await uow.connection.execute(
        _END,
        {
            "coverages": [event.coverage_id for event in events],
            "territories": [event.territory_id for event in events],
            "reps": [event.rep_id for event in events],
            "moments": [event.valid_to for event in events],
        },
    )
