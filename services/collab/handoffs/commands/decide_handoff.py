"""The receiving side takes the account on, or sends it back."""

from dataclasses import dataclass

from sqlalchemy import text

from services.collab.customers.needs.commands.pass_needs_on import pass_needs_on
from services.collab.handoffs.commands.lock_handoff import HandoffCommand, lock_handoff
from services.collab.handoffs.handoff import Handoff, HandoffState
from services.collab.handoffs.queries import HandoffRow, find_handoff
from services.collab.protocols.obligations.commands.close_obligations import close_obligations
from services.collab.protocols.obligations.obligation import Outcome
from shared.contracts.collab import HandoffDecided
from shared.contracts.identity import actor_id_of
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptHandoff(HandoffCommand):
    """Take the account on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectHandoff(HandoffCommand):
    """Send the account back, and say why."""

    reason: str


_DECIDE = text("""
UPDATE handoffs SET state = :state, version = :version, decided_at = :now, decided_by = :actor,
    rejection_reason = :reason
WHERE handoff_id = :handoff
""")


async def accept_handoff(command: AcceptHandoff, uow: UnitOfWork) -> HandoffRow:
    """Accept for the receiving side, whose rep takes the outgoing one's needs on.

    Raises HandoffAlreadyDecided or NotTheReceivingSide.
    """
    accepted = (await lock_handoff(command, uow, receiving=True)).accept()
    await _record_decision(accepted, None, uow)
    found = await find_handoff(uow.connection, command.handoff_id, scope=command.scope)
    await pass_needs_on(found.account_id, before=found.outgoing.rep_id, after=found.incoming.rep_id, uow=uow)
    return found


async def reject_handoff(command: RejectHandoff, uow: UnitOfWork) -> HandoffRow:
    """Reject for the receiving side. Raises HandoffAlreadyDecided or NotTheReceivingSide."""
    rejected = (await lock_handoff(command, uow, receiving=True)).reject()
    await _record_decision(rejected, command.reason, uow)
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)


async def _record_decision(decided: Handoff, reason: str | None, uow: UnitOfWork) -> None:
    accepted = decided.state is HandoffState.ACCEPTED
    await uow.connection.execute(
        _DECIDE,
        {
            "handoff": decided.handoff_id,
            "state": decided.state,
            "version": decided.version,
            "reason": reason,
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    uow.outbox.add(
        HandoffDecided(
            handoff_id=decided.handoff_id,
            account_id=decided.account_id,
            decision="accepted" if accepted else "rejected",
            decided_by_id=actor_id_of(uow.actor),
            decided_at=uow.now,
        )
    )
    outcome = Outcome.FULFILLED if accepted else Outcome.DECLINED
    await close_obligations([decided.handoff_id], outcome, uow)
