"""What was owed was done, declined, or is gone: in the transaction of whatever ended it.

Closing locks the obligation, as taking its steps does: either a step came before the end, or it never comes.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.protocols.obligations.obligation import Outcome
from shared.contracts.policies import ObligationClosed
from shared.db.unit_of_work import UnitOfWork

# Locked in the order of ids, so that this never waits crosswise with another batch.
_LOCK_SUBJECTS = text("""
SELECT obligation_id FROM obligations
WHERE subject_id = ANY (CAST(:subjects AS uuid[])) AND state <> 'closed' ORDER BY obligation_id FOR UPDATE
""")
_LOCK_ANSWERS = text("""
SELECT obligation_id FROM obligations
WHERE account_id = :account AND duty = 'answer' AND state <> 'closed' AND started_at <= :answered
ORDER BY obligation_id FOR UPDATE
""")
_CLOSE = text("""
UPDATE obligations SET state = 'closed', closed_at = :now, closed_by = :actor, outcome = :outcome
WHERE obligation_id = ANY (CAST(:obligations AS uuid[]))
RETURNING obligation_id, protocol_id, protocol_version, due_at, breached_at IS NOT NULL AS breached
""")
_CANCEL = text("""
UPDATE timers SET cancelled_at = :now
WHERE obligation_id = ANY (CAST(:obligations AS uuid[])) AND fired_at IS NULL
""")
_FOLLOW = text("""
WITH owed AS (
    SELECT o.obligation_id, moved.territory_id
    FROM obligations AS o
    JOIN unnest(CAST(:accounts AS uuid[]), CAST(:territories AS uuid[])) AS moved (account_id, territory_id)
        USING (account_id)
    WHERE o.duty = 'answer' AND o.state <> 'closed' ORDER BY o.obligation_id FOR UPDATE OF o
)
UPDATE obligations AS o SET territory_id = owed.territory_id FROM owed WHERE o.obligation_id = owed.obligation_id
""")


async def close_obligations(subjects: Collection[UUID], outcome: Outcome, uow: UnitOfWork) -> None:
    """Close whatever is still owed about these subjects."""
    await _close(_LOCK_SUBJECTS, {"subjects": list(subjects)}, outcome, uow)


async def close_answered(account_id: UUID, answered_at: datetime, uow: UnitOfWork) -> None:
    """Close what was to be answered: everything the customer had asked by then."""
    await _close(_LOCK_ANSWERS, {"account": account_id, "answered": answered_at}, Outcome.FULFILLED, uow)


async def hand_answers_on(territories: dict[UUID, UUID | None], uow: UnitOfWork) -> None:
    """Let what is to be answered follow its account into another territory; its clock goes on."""
    binds = {"accounts": list(territories), "territories": list(territories.values())}
    await uow.connection.execute(_FOLLOW, binds)


async def _close(lock: Any, binds: dict[str, Any], outcome: Outcome, uow: UnitOfWork) -> None:
    owed = list((await uow.connection.execute(lock, binds)).scalars())
    if not owed:
        return
    end = {"obligations": owed, "now": uow.now}
    rows = await uow.connection.execute(_CLOSE, {**end, "actor": uow.actor, "outcome": outcome})
    closed = [ObligationClosed(**row, outcome=outcome.value, closed_at=uow.now) for row in rows.mappings()]
    await uow.connection.execute(_CANCEL, end)
    uow.outbox.add_all(sorted(closed, key=lambda event: event.key))
