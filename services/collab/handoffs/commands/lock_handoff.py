"""How every decision on a handoff begins: its row is locked, and the caller's side and version are checked."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.collab.handoffs.handoff import Handoff, HandoffState
from services.collab.handoffs.refusals import NotTheReceivingSide
from services.collab.handoffs.visibility import VISIBLE
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound, VersionMismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCommand:
    """Which handoff, in whose scope, and the version the caller read, if they care."""

    handoff_id: UUID
    scope: Scope
    expected_version: int | None


_LOCK = text(f"""
SELECT h.handoff_id, h.account_id, h.template, h.state, h.version,
    {Scope.covers("h.to_territory_id")} AS receiving,
    ARRAY(SELECT t.item FROM handoff_ticks AS t WHERE t.handoff_id = h.handoff_id) AS done
FROM handoffs AS h WHERE h.handoff_id = :handoff AND {VISIBLE} FOR UPDATE OF h
""")


async def lock_handoff(command: HandoffCommand, uow: UnitOfWork, *, receiving: bool) -> Handoff:
    """Load a handoff for a change; `receiving` keeps the outgoing side out.

    Raises NotFound, NotTheReceivingSide or VersionMismatch.
    """
    found = await uow.connection.execute(_LOCK, {**command.scope.parameters(), "handoff": command.handoff_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("handoff_id: no such handoff.")
    if receiving and not row.receiving:
        raise NotTheReceivingSide("Only the side that receives the account can do this.")
    if command.expected_version not in {None, row.version}:
        raise VersionMismatch(f"If-Match: the handoff is at version {row.version}; read it again.")
    return handoff_of(row)


def handoff_of(row: Row[Any]) -> Handoff:
    """Return the handoff that a row tells of."""
    return Handoff(
        handoff_id=row.handoff_id,
        account_id=row.account_id,
        template=row.template,
        state=HandoffState(row.state),
        version=row.version,
        done=frozenset(row.done),
    )
