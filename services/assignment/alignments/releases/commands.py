"""Letting accounts go whose pins have run out: the live plan's rules decide on them from then on."""

from dataclasses import dataclass

from services.assignment.accounts.commands import lock_accounts
from services.assignment.accounts.versions.commands import record_versions
from services.assignment.alignments.commands import Occasion, realign_some
from services.assignment.alignments.queries import load_matcher
from services.assignment.alignments.releases.queries import list_overdue
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ReleaseAccounts:
    """Look for up to `limit` accounts that are still held by a pin that no longer holds."""

    limit: int = 500


async def release_accounts(command: ReleaseAccounts, uow: UnitOfWork) -> int:
    """Align accounts whose pins have run out; return how many were looked at. Raises PlanBusy."""
    # Almost always there are none: that is found out before anybody has to wait for the live plan.
    if not await list_overdue(uow.connection, at=uow.now, rows=command.limit):
        return 0
    live = await hold_live_plan(uow)
    overdue = await list_overdue(uow.connection, at=uow.now, rows=command.limit)
    if live.plan_id is None or not overdue:
        return 0
    accounts = await lock_accounts(uow, overdue)
    matcher = await load_matcher(uow.connection, live.plan_id, at=uow.now)
    at = await record_versions(uow, accounts)
    await realign_some(uow, accounts, matcher, Occasion(live.plan_id, at))
    return len(accounts)
