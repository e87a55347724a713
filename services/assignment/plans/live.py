"""The live pointer: which plan is in force. Whoever aligns accounts holds it, so nobody aligns by two plans."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.plans.plan import LivePlan
from shared.db.unit_of_work import UnitOfWork

# An activation of 100,000 accounts holds the pointer for seconds: whoever comes next waits it out and then
# gets a real answer, instead of "busy" after the two seconds that row locks are otherwise worth.
_PATIENCE = text("SET LOCAL lock_timeout = '20s'")
_READ = "SELECT plan_id, activation_id, sequence FROM live_plan"
_MOVE = text("""
UPDATE live_plan SET plan_id = :plan_id, activation_id = :activation_id, sequence = :sequence
""")


async def read_live_plan(read: AsyncConnection) -> LivePlan:
    """Return what is in force in this snapshot."""
    return LivePlan(*(await read.execute(text(_READ))).one())


async def hold_live_plan(uow: UnitOfWork) -> LivePlan:
    """Keep the live plan from changing while single accounts are aligned by it; others may hold it too."""
    await uow.connection.execute(_PATIENCE)
    return LivePlan(*(await uow.connection.execute(text(f"{_READ} FOR SHARE"))).one())


async def lock_live_plan(uow: UnitOfWork) -> LivePlan:
    """Become the only one who may change or use the live pointer."""
    await uow.connection.execute(_PATIENCE)
    return LivePlan(*(await uow.connection.execute(text(f"{_READ} FOR UPDATE"))).one())


async def point_at(uow: UnitOfWork, live: LivePlan) -> None:
    """Move the pointer; the caller holds it through lock_live_plan."""
    await uow.connection.execute(
        _MOVE, {"plan_id": live.plan_id, "activation_id": live.activation_id, "sequence": live.sequence}
    )
