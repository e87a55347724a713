"""What people do with a handoff: accept, reject, tick an item, complete."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.handoffs.handoff import Handoff, HandoffState
from services.collab.handoffs.queries import VISIBLE, HandoffRow, find_handoff
from shared.contracts.collab import HandoffCompleted, HandoffDecided
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound, Refusal, VersionMismatch


class NotTheReceivingSide(Refusal):
    """Whether and how an account is taken over is for the side that got it."""


@dataclass(frozen=True, slots=True)
class HandoffCommand:
    """Which handoff, in whose scope, and the version the caller read, if they care."""

    handoff_id: UUID
    scope: Scope
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptHandoff(HandoffCommand):
    """Take the account on."""


@dataclass(frozen=True, slots=True)
class RejectHandoff(HandoffCommand):
    """Send the account back, and say why."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class CompleteHandoff(HandoffCommand):
    """Say that everything was passed on."""


@dataclass(frozen=True, slots=True)
class TickItem(HandoffCommand):
    """Mark an item of the checklist done, or open again."""

    item: str = ""
    done: bool = True


_LOCK = text(f"""
SELECT h.handoff_id, h.account_id, h.template, h.state, h.version,
    {Scope.covers("h.to_territory_id")} AS receiving,
    ARRAY(SELECT t.item FROM handoff_ticks AS t WHERE t.handoff_id = h.handoff_id) AS done
FROM handoffs AS h WHERE h.handoff_id = :handoff AND {VISIBLE} FOR UPDATE OF h
""")
_DECIDE = text("""
UPDATE handoffs SET state = :state, version = :version, decided_at = :now, decided_by = :actor,
    rejection_reason = :reason
WHERE handoff_id = :handoff
""")
_COMPLETE = text("""
UPDATE handoffs SET state = :state, version = :version, completed_at = :now, completed_by = :actor
WHERE handoff_id = :handoff
""")
_TOUCH = text("UPDATE handoffs SET version = :version WHERE handoff_id = :handoff")
_TICK = text("""
INSERT INTO handoff_ticks (handoff_id, item, done_at, done_by) VALUES (:handoff, :item, :now, :actor)
""")
_UNTICK = text("DELETE FROM handoff_ticks WHERE handoff_id = :handoff AND item = :item")


async def accept_handoff(command: AcceptHandoff, uow: UnitOfWork) -> HandoffRow:
    """Accept for the receiving side. Raises HandoffAlreadyDecided or NotTheReceivingSide."""
    accepted = (await _lock(command, uow, receiving=True)).accept()
    await _record_decision(accepted, None, uow)
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)


async def reject_handoff(command: RejectHandoff, uow: UnitOfWork) -> HandoffRow:
    """Reject for the receiving side. Raises HandoffAlreadyDecided or NotTheReceivingSide."""
    rejected = (await _lock(command, uow, receiving=True)).reject()
    await _record_decision(rejected, command.reason, uow)
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)


async def complete_handoff(command: CompleteHandoff, uow: UnitOfWork) -> HandoffRow:
    """Complete an accepted handoff. Raises HandoffNotAccepted, ChecklistIncomplete, NotTheReceivingSide."""
    done = (await _lock(command, uow, receiving=True)).complete()
    await uow.connection.execute(_COMPLETE, {**_written(done), "now": uow.now, "actor": uow.actor})
    uow.outbox.add(
        HandoffCompleted(handoff_id=done.handoff_id, account_id=done.account_id, completed_at=uow.now)
    )
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)


async def tick_item(command: TickItem, uow: UnitOfWork) -> HandoffRow:
    """Mark an item, from either side. Raises HandoffClosed, or NotFound for an item that is not listed."""
    before = await _lock(command, uow, receiving=False)
    after = before.tick(command.item, done=command.done)
    if after is not before:
        binds = {"handoff": command.handoff_id, "item": command.item}
        if command.done:
            await uow.connection.execute(_TICK, {**binds, "now": uow.now, "actor": uow.actor})
        else:
            await uow.connection.execute(_UNTICK, binds)
        await uow.connection.execute(_TOUCH, {"handoff": after.handoff_id, "version": after.version})
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)


async def _lock(command: HandoffCommand, uow: UnitOfWork, *, receiving: bool) -> Handoff:
    found = await uow.connection.execute(_LOCK, {**command.scope.parameters(), "handoff": command.handoff_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("handoff_id: no such handoff.")
    if receiving and not row.receiving:
        raise NotTheReceivingSide("Only the side that receives the account can do this.")
    if command.expected_version not in {None, row.version}:
        raise VersionMismatch(f"If-Match: the handoff is at version {row.version}; read it again.")
    return Handoff(
        handoff_id=row.handoff_id,
        account_id=row.account_id,
        template=row.template,
        state=HandoffState(row.state),
        version=row.version,
        done=frozenset(row.done),
    )


async def _record_decision(decided: Handoff, reason: str | None, uow: UnitOfWork) -> None:
    binds = {**_written(decided), "now": uow.now, "actor": uow.actor, "reason": reason}
    await uow.connection.execute(_DECIDE, binds)
    uow.outbox.add(
        HandoffDecided(
            handoff_id=decided.handoff_id,
            account_id=decided.account_id,
            decision="accepted" if decided.state is HandoffState.ACCEPTED else "rejected",
            decided_by=uow.actor,
            decided_at=uow.now,
        )
    )


def _written(handoff: Handoff) -> dict[str, object]:
    return {"handoff": handoff.handoff_id, "state": handoff.state, "version": handoff.version}
