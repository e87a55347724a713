"""Reads of handoffs. Who covers a side is looked up at read time: coverage may arrive after the move."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.checklist import TEMPLATES
from services.collab.handoffs.handoff import HandoffState
from services.collab.handoffs.visibility import VISIBLE, HandoffFilter, first_visible, visible
from services.collab.projections.coverages import rep_of
from shared.db.scope import Scope, require_in_scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class SideRow:
    """One side of a handoff and who covers it, None while nobody does."""

    territory_id: UUID
    rep_id: UUID | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the checklist."""

    item: str
    title: str
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True, slots=True)
class HandoffRow:
    """A handoff as readers see it."""

    handoff_id: UUID
    account_id: UUID
    activation_id: UUID
    outgoing: SideRow
    incoming: SideRow
    state: HandoffState
    version: int
    effective_at: datetime
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    rejection_reason: str | None
    completed_at: datetime | None
    completed_by: str | None
    superseded_at: datetime | None
    superseded_by_activation_id: UUID | None
    checklist: tuple[ItemRow, ...]


# The outgoing rep is whoever covered the side when the account left it, the incoming one who covers it now.
_COLUMNS = f"""
h.handoff_id, h.account_id, h.activation_id, h.from_territory_id, h.to_territory_id, h.state, h.version,
h.effective_at, h.opened_at, h.decided_at, h.decided_by, h.rejection_reason, h.completed_at, h.completed_by,
h.superseded_at, h.superseded_by_activation_id, h.template,
{rep_of("h.from_territory_id", "h.effective_at")} AS from_rep_id,
{rep_of("h.to_territory_id", "now()")} AS to_rep_id
"""
_TICKS = text("""
SELECT handoff_id, item, done_at, done_by FROM handoff_ticks
WHERE handoff_id = ANY(CAST(:handoffs AS uuid[]))
""")


async def list_handoffs(
    read: AsyncConnection, wanted: HandoffFilter, *, scope: Scope, after: UUID | None, limit: int
) -> list[HandoffRow]:
    """Return handoffs in the order they were opened, those of which one side lies in the scope.

    Raises NotFound for a territory outside it.
    """
    await require_in_scope(read, wanted.territory_id, scope)
    where, binds = await first_visible(read, wanted, scope=scope, after=after)
    statement = text(f"SELECT {_COLUMNS} FROM handoffs AS h WHERE {where} ORDER BY h.handoff_id LIMIT :limit")
    rows = (await read.execute(statement, {**binds, "limit": limit})).all()
    return await _with_checklists(read, rows)


async def find_handoff(read: AsyncConnection, handoff_id: UUID, *, scope: Scope) -> HandoffRow:
    """Return one handoff. Raises NotFound."""
    statement = text(f"SELECT {_COLUMNS} FROM handoffs AS h WHERE h.handoff_id = :handoff AND {VISIBLE}")
    rows = (await read.execute(statement, {**scope.parameters(), "handoff": handoff_id})).all()
    if not rows:
        raise NotFound("handoff_id: no such handoff.")
    return (await _with_checklists(read, rows))[0]


async def count_handoffs(
    read: AsyncConnection, wanted: HandoffFilter, *, scope: Scope
) -> dict[HandoffState, int]:
    """Return how many handoffs stand where; every state is listed."""
    where, binds = await visible(read, wanted, scope=scope)
    statement = text(
        f"SELECT h.state, count(*) AS handoffs FROM handoffs AS h WHERE {where} GROUP BY h.state"
    )
    rows = await read.execute(statement, binds)
    counted = {row.state: row.handoffs for row in rows}
    return {state: counted.get(state, 0) for state in HandoffState}


async def find_account_of(read: AsyncConnection, handoff_id: UUID) -> UUID | None:
    """Return the account a handoff is about, whoever asks; None when there is no such handoff."""
    statement = text("SELECT account_id FROM handoffs WHERE handoff_id = :handoff")
    account: UUID | None = await read.scalar(statement, {"handoff": handoff_id})
    return account


async def _with_checklists(read: AsyncConnection, rows: Iterable[Row[Any]]) -> list[HandoffRow]:
    found = list(rows)
    ticks = await read.execute(_TICKS, {"handoffs": [row.handoff_id for row in found]})
    done = {(tick.handoff_id, tick.item): (tick.done_at, tick.done_by) for tick in ticks}
    return [_handoff(row, done) for row in found]


def _handoff(row: Row[Any], done: Mapping[tuple[UUID, str], tuple[datetime, str]]) -> HandoffRow:
    checklist = (
        ItemRow(item.code, item.title, *done.get((row.handoff_id, item.code), (None, None)))
        for item in TEMPLATES[row.template]
    )
    return HandoffRow(
        handoff_id=row.handoff_id,
        account_id=row.account_id,
        activation_id=row.activation_id,
        outgoing=SideRow(row.from_territory_id, row.from_rep_id),
        incoming=SideRow(row.to_territory_id, row.to_rep_id),
        state=HandoffState(row.state),
        version=row.version,
        effective_at=row.effective_at,
        opened_at=row.opened_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        rejection_reason=row.rejection_reason,
        completed_at=row.completed_at,
        completed_by=row.completed_by,
        superseded_at=row.superseded_at,
        superseded_by_activation_id=row.superseded_by_activation_id,
        checklist=tuple(checklist),
    )
