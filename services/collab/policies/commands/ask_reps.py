"""Whoever a policy concerns owes its acknowledgement: asked as they come, let off as they go.

Requests follow what is covered and what is published, so a new version asks again and whoever takes a territory
over is asked then. What was owed of a version is owed until the next one takes effect. One that was answered while
it was being made is found here as well, and closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.collab.policies.audience import ASKED, UNACKNOWLEDGED
from services.collab.projections.territories import TREE_AWAITED
from services.collab.protocols.obligations.commands.close_obligations import close_obligations
from services.collab.protocols.obligations.commands.open_obligations import Subject, open_obligations
from services.collab.protocols.obligations.obligation import Outcome
from services.collab.protocols.protocol import Trigger
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

# One worker at a time: two would ask the same reps and wait for each other's rows.
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('collab.ask_reps'))")
# Whom a subtree concerns is not known while the tree of the live plan is on its way: then nobody leaves it.
_LET_OFF = text(f"""
DELETE FROM acknowledgement_requests AS r USING policy_versions AS published
WHERE published.policy_id = r.policy_id AND published.version = r.version
  AND (published.territory_id IS NULL OR NOT {TREE_AWAITED})
  AND NOT EXISTS (
    SELECT 1 FROM ({ASKED}) AS asked
    WHERE asked.policy_id = r.policy_id AND asked.version = r.version AND asked.rep_id = r.rep_id
      AND {UNACKNOWLEDGED}
)
RETURNING r.request_id, EXISTS (
    SELECT 1 FROM acknowledgements AS given
    WHERE given.policy_id = r.policy_id AND given.version = r.version AND given.rep_id = r.rep_id
) AS answered
""")
_MISSING = text(f"""
SELECT DISTINCT ON (asked.policy_id, asked.version, asked.rep_id)
    asked.policy_id, asked.version, asked.rep_id, asked.territory_id
FROM ({ASKED}) AS asked
WHERE {UNACKNOWLEDGED} AND NOT EXISTS (
    SELECT 1 FROM acknowledgement_requests AS r
    WHERE r.policy_id = asked.policy_id AND r.version = asked.version AND r.rep_id = asked.rep_id
)
ORDER BY asked.policy_id, asked.version, asked.rep_id, asked.territory_id LIMIT :limit
""")
_ASK = text("""
INSERT INTO acknowledgement_requests (request_id, policy_id, version, rep_id, asked_at)
SELECT n.request_id, n.policy_id, n.version, n.rep_id, CAST(:now AS timestamptz)
FROM unnest(
    CAST(:requests AS uuid[]), CAST(:policies AS uuid[]), CAST(:versions AS int[]), CAST(:reps AS uuid[])
) AS n (request_id, policy_id, version, rep_id)
""")


@dataclass(frozen=True, slots=True)
class AskReps:
    """Ask up to `limit` reps."""

    limit: int = 1_000


async def ask_reps(command: AskReps, uow: UnitOfWork) -> int:
    """Let off whom nothing is asked of any more, ask who is missing; return how many were asked."""
    if not (await uow.connection.execute(_LOCK)).scalar_one():
        return 0
    await _let_off(uow)
    missing = (await uow.connection.execute(_MISSING, {"now": uow.now, "limit": command.limit})).all()
    if missing:
        await _ask(missing, uow)
    return len(missing)


async def _let_off(uow: UnitOfWork) -> None:
    gone: dict[bool, list[UUID]] = {True: [], False: []}
    for row in await uow.connection.execute(_LET_OFF, {"now": uow.now}):
        gone[row.answered].append(row.request_id)
    await close_obligations(gone[True], Outcome.FULFILLED, uow)
    await close_obligations(gone[False], Outcome.WITHDRAWN, uow)


async def _ask(missing: Sequence[Row[Any]], uow: UnitOfWork) -> None:
    requests = [new_id() for _ in missing]
    await uow.connection.execute(
        _ASK,
        {
            "requests": requests,
            "policies": [row.policy_id for row in missing],
            "versions": [row.version for row in missing],
            "reps": [row.rep_id for row in missing],
            "now": uow.now,
        },
    )
    subjects = [
        Subject(request_id, None, row.territory_id, uow.now, row.rep_id)
        for request_id, row in zip(requests, missing, strict=True)
    ]
    await open_obligations(Trigger.POLICY_PUBLISHED, subjects, uow)
