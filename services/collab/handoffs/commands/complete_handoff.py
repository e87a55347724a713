"""The receiving side says that everything was passed on."""

from dataclasses import dataclass

from sqlalchemy import text

from services.collab.handoffs.commands.lock_handoff import HandoffCommand, lock_handoff
from services.collab.handoffs.queries import HandoffRow, find_handoff
from shared.contracts.collab import HandoffCompleted
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteHandoff(HandoffCommand):
    """Close an accepted handoff."""


_COMPLETE = text("""
UPDATE handoffs SET state = :state, version = :version, completed_at = :now, completed_by = :actor
WHERE handoff_id = :handoff
""")


async def complete_handoff(command: CompleteHandoff, uow: UnitOfWork) -> HandoffRow:
    """Complete an accepted handoff. Raises HandoffNotAccepted, ChecklistIncomplete, NotTheReceivingSide."""
    done = (await lock_handoff(command, uow, receiving=True)).complete()
    binds = {"handoff": done.handoff_id, "state": done.state, "version": done.version}
    await uow.connection.execute(_COMPLETE, {**binds, "now": uow.now, "actor": uow.actor})
    uow.outbox.add(
        HandoffCompleted(handoff_id=done.handoff_id, account_id=done.account_id, completed_at=uow.now)
    )
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)
