"""Two tellings of one revision: one of them counts, the other is kept for whoever has to find out why."""

from collections.abc import Sequence

from sqlalchemy import text

from services.metrics.facts.fact_row import FACT_ROWS, TOLD, FactRow, columns_of
from shared.db.unit_of_work import UnitOfWork

_KEEP = text(f"""
INSERT INTO fact_conflicts ({TOLD}, day, recorded_at)
SELECT {TOLD}, day, :now FROM ({FACT_ROWS}) AS told
ORDER BY entity_key, revision, payload_hash
ON CONFLICT DO NOTHING
""")


async def keep_conflicts(conflicts: Sequence[FactRow], uow: UnitOfWork) -> None:
    """Keep tellings that do not count, each once."""
    if conflicts:
        await uow.connection.execute(_KEEP, {**columns_of(conflicts), "now": uow.now})
