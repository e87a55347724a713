"""Either side marks an item of the checklist done, or open again."""

from dataclasses import dataclass

from sqlalchemy import text

from services.collab.handoffs.commands.lock_handoff import HandoffCommand, lock_handoff
from services.collab.handoffs.queries import HandoffRow, find_handoff
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class TickItem(HandoffCommand):
    """Mark an item done, or open again."""

    item: str
    done: bool


_TICK = text("""
INSERT INTO handoff_ticks (handoff_id, item, done_at, done_by) VALUES (:handoff, :item, :now, :actor)
""")
_UNTICK = text("DELETE FROM handoff_ticks WHERE handoff_id = :handoff AND item = :item")
_TOUCH = text("UPDATE handoffs SET version = :version WHERE handoff_id = :handoff")


async def tick_item(command: TickItem, uow: UnitOfWork) -> HandoffRow:
    """Mark an item, from either side. Raises HandoffClosed, or NotFound for an item that is not listed."""
    before = await lock_handoff(command, uow, receiving=False)
    after = before.tick(command.item, done=command.done)
    if after is not before:
        binds = {"handoff": command.handoff_id, "item": command.item}
        if command.done:
            await uow.connection.execute(_TICK, {**binds, "now": uow.now, "actor": uow.actor})
        else:
            await uow.connection.execute(_UNTICK, binds)
        await uow.connection.execute(_TOUCH, {"handoff": after.handoff_id, "version": after.version})
    return await find_handoff(uow.connection, command.handoff_id, scope=command.scope)
