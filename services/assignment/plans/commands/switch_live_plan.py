"""Hold the live plan, and switch to another. Whoever aligns accounts holds it, so nobody aligns by two plans."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text

from services.assignment.plans.commands.wait_for_lock import wait_for_lock
from services.assignment.plans.plan import LivePlan
from services.assignment.plans.queries import SELECT_LIVE_PLAN
from shared.db.unit_of_work import UnitOfWork

# An activation of 100,000 accounts holds the live plan for seconds: whoever comes next waits it out, longer
# than the two seconds that row locks are otherwise worth and shorter than a statement may take.
PATIENCE_SECONDS = 20

# An advisory lock queues fairly: share locks on the row let a steady stream of imports starve an activation.
_WAIT = (
    "SELECT set_config('lock_timeout', :patience, true), {lock}(hashtextextended('assignment.live_plan', 0))"
)
_SHARE = text(_WAIT.format(lock="pg_advisory_xact_lock_shared"))
_ALONE = text(_WAIT.format(lock="pg_advisory_xact_lock"))
# After the lock, not with it: a statement sees what was committed when it began to wait.
_READ = text(SELECT_LIVE_PLAN)
_RETIRE = text("""
UPDATE plans SET state = 'retired', retired_at = :at, version = version + 1 WHERE plan_id = :plan_id
""")
_ACTIVATE = text("""
UPDATE plans
SET state = 'active', activated_at = :at, retired_at = NULL, tree_id = :tree_id, version = version + 1
WHERE plan_id = :plan_id
""")
_POINT = text("""
UPDATE live_plan SET plan_id = :plan_id, activation_id = :activation_id, sequence = :sequence
""")


async def hold_live_plan(uow: UnitOfWork) -> LivePlan:
    """Keep the live plan from changing while single accounts are aligned by it; others may hold it too.

    Raises PlanBusy.
    """
    return await _take(_SHARE, uow, "An activation or a rollback is under way")


async def lock_live_plan(uow: UnitOfWork) -> LivePlan:
    """Become the only one who may switch the live plan or align by it. Raises PlanBusy."""
    return await _take(_ALONE, uow, "Another activation, a rollback or an import of accounts is under way")


async def _take(lock: TextClause, uow: UnitOfWork, under_way: str) -> LivePlan:
    async with wait_for_lock(under_way):
        await uow.connection.execute(lock, {"patience": f"{PATIENCE_SECONDS * 1000:.0f}ms"})
    return LivePlan(*(await uow.connection.execute(_READ)).one())


async def switch_live_plan(
    uow: UnitOfWork, before: LivePlan, after: LivePlan, *, at: datetime, tree_id: UUID
) -> None:
    """Put a plan in force in place of the one before it; the caller holds it through lock_live_plan."""
    if before.plan_id is not None:
        await uow.connection.execute(_RETIRE, {"plan_id": before.plan_id, "at": at})
    await uow.connection.execute(_ACTIVATE, {"plan_id": after.plan_id, "at": at, "tree_id": tree_id})
    await uow.connection.execute(
        _POINT, {"plan_id": after.plan_id, "activation_id": after.activation_id, "sequence": after.sequence}
    )
