"""Prove the roll-ups: count all facts anew, by other SQL than theirs, and keep what came of it."""

import json
from dataclasses import asdict, dataclass

from sqlalchemy import text

from services.metrics.reconciliations.reconciliation import Reconciliation
from services.metrics.reconciliations.recount import RECOUNT
from services.metrics.reconciliations.spans import MOST_FACTS, cut_into_spans
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_KEEP = text("""
INSERT INTO reconciliations (reconciliation_id, cells, facts, differing, differences, asked_by, made_at)
VALUES (:reconciliation_id, :cells, :facts, :differing, CAST(:differences AS jsonb), :asked_by, :made_at)
""")
_PER_DAY = text("SELECT day, count(*) FROM facts GROUP BY day ORDER BY day")
# A recount reads whole days: on tables that were never analysed, nested loops made it 20 times slower.
_ROOM = (
    "SET LOCAL statement_timeout = '55s'",
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL enable_nestloop = off",
)


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Compare all roll-ups with all facts."""


async def reconcile(_command: Reconcile, uow: UnitOfWork) -> Reconciliation:
    """Count anew, so many days per statement that none has much more facts than a statement has time for.

    A statement sees one snapshot, and a cell is of one day: facts that come meanwhile are in both sides of
    their comparison or in none.
    """
    for statement in _ROOM:
        await uow.connection.execute(text(statement))
    made = Reconciliation(new_id(), asked_by=uow.actor, made_at=uow.now)
    per_day = [(day, facts) for day, facts in await uow.connection.execute(_PER_DAY)]
    for first_day, end_day in cut_into_spans(per_day, most=MOST_FACTS):
        days = {"first_day": first_day, "end_day": end_day}
        made = made.with_days(*(await uow.connection.execute(RECOUNT, days)).one())
    await uow.connection.execute(_KEEP, {**asdict(made), "differences": json.dumps(made.differences)})
    return made
