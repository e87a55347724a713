"""Reading what is owed: within the caller's scope, found from its territories where they are few."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.projections.territories import IN_SCOPE, are_few
from services.collab.protocols.obligations.obligation import ObligationState, Outcome, Untold
from services.collab.protocols.protocol import Action, Duty
from shared.db.scope import Scope, require_in_scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class ObligationRow:
    """What is owed, by whom, until when."""

    obligation_id: UUID
    protocol_code: str
    protocol_id: UUID
    protocol_version: int
    duty: Duty
    subject_id: UUID
    account_id: UUID | None
    territory_id: UUID | None
    rep_id: UUID | None
    state: ObligationState
    started_at: datetime
    due_at: datetime
    breached_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step that was taken, is to come, or never will."""

    loop: int
    step: int
    action: Action
    due_at: datetime
    fired_at: datetime | None
    told_territory_id: UUID | None
    told_rep_id: UUID | None
    untold_because: Untold | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ObligationFilter:
    """Which are asked for; None does not narrow. A territory stands for its whole subtree."""

    state: ObligationState | None = None
    territory_id: UUID | None = None
    subject_id: UUID | None = None
    account_id: UUID | None = None


_VISIBLE = Scope.covers("o.territory_id")
_SUBTREE = """
SELECT asked.territory_id FROM live_closure AS asked WHERE asked.ancestor_id = CAST(:territory AS uuid)
UNION SELECT CAST(:territory AS uuid)
"""
_CONDITIONS = {
    "state": "o.state = :state",
    "territory": f"o.territory_id IN ({_SUBTREE})",
    "subject": "o.subject_id = :subject",
    "account": "o.account_id = :account",
    "after": "o.obligation_id > :after",
}
_SELECT = """
SELECT o.*, p.code AS protocol_code FROM obligations AS o JOIN protocols AS p USING (protocol_id)
"""
# The order by id would be walked from its start for rows that may never come; each territory has an index.
_OF_TERRITORIES = """
o.obligation_id IN (
    SELECT found.obligation_id FROM ({places}) AS place CROSS JOIN LATERAL (
        SELECT o.obligation_id FROM obligations AS o
        WHERE o.territory_id = place.territory_id AND {where} ORDER BY o.obligation_id LIMIT :limit
    ) AS found ORDER BY found.obligation_id LIMIT :limit
)
"""
_FIND = text(f"{_SELECT} WHERE o.obligation_id = :obligation AND {_VISIBLE}")
_TO_ANSWER = text("""
SELECT subject_id FROM obligations
WHERE account_id = :account AND duty = 'answer' AND state <> 'closed' AND started_at <= :at
""")
_STEPS = text("""
SELECT loop, step, action, due_at, fired_at, told_territory_id, told_rep_id, untold_because, cancelled_at
FROM timers WHERE obligation_id = :obligation ORDER BY due_at, step, loop
""")


async def find_subjects_to_answer(read: AsyncConnection, account_id: UUID, *, at: datetime) -> list[UUID]:
    """Return the contacts of a customer whose answer is owed, whoever asks: of those that were made by then."""
    rows = await read.execute(_TO_ANSWER, {"account": account_id, "at": at})
    return list(rows.scalars())


async def list_obligations(
    read: AsyncConnection, wanted: ObligationFilter, *, scope: Scope, after: UUID | None, limit: int
) -> list[ObligationRow]:
    """Return what is or was owed, in the order it was opened. Raises NotFound for a territory outside the scope."""
    await require_in_scope(read, wanted.territory_id, scope)
    given = {
        "state": wanted.state,
        "territory": wanted.territory_id,
        "subject": wanted.subject_id,
        "account": wanted.account_id,
        "after": after,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join([_VISIBLE, *(_CONDITIONS[name] for name in asked)])
    binds = {**scope.parameters(), **asked}
    places = None if scope.everything else IN_SCOPE
    if wanted.territory_id is not None:
        places = _SUBTREE
    if places is not None and wanted.subject_id is None and await are_few(read, places, binds):
        where = _OF_TERRITORIES.format(places=places, where=where)
    statement = text(f"{_SELECT} WHERE {where} ORDER BY o.obligation_id LIMIT :limit")
    return [_obligation(row) for row in await read.execute(statement, {**binds, "limit": limit})]


async def find_obligation(
    read: AsyncConnection, obligation_id: UUID, *, scope: Scope
) -> tuple[ObligationRow, Sequence[StepRow]]:
    """Return one with its steps. Raises NotFound."""
    binds = {"obligation": obligation_id}
    row = (await read.execute(_FIND, {**scope.parameters(), **binds})).one_or_none()
    if row is None:
        raise NotFound("obligation_id: no such obligation.")
    return _obligation(row), [_step(step) for step in await read.execute(_STEPS, binds)]


def _obligation(row: Row[Any]) -> ObligationRow:
    values = {name: getattr(row, name) for name in ObligationRow.__dataclass_fields__}
    values["duty"] = Duty(row.duty)
    values["state"] = ObligationState(row.state)
    values["outcome"] = None if row.outcome is None else Outcome(row.outcome)
    return ObligationRow(**values)


def _step(row: Row[Any]) -> StepRow:
    values = {name: getattr(row, name) for name in StepRow.__dataclass_fields__}
    values["action"] = Action(row.action)
    values["untold_because"] = None if row.untold_because is None else Untold(row.untold_because)
    return StepRow(**values)
