"""Finds the accounts that a plan would move, or send nowhere: matched page by page, nothing is stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.account import AccountMeasures
from services.assignment.alignments.diffs.queries import look
from services.assignment.alignments.queries import load_matcher, read_units
from services.assignment.alignments.realignment import TERRITORY_ID, Unit
from services.assignment.plans.queries import find_plan, read_live_plan
from services.assignment.projections.queries import find_measures
from services.assignment.rules.matcher import ACCOUNT_ID, Match, Matcher, Reason
from shared.db.scope import Scope
from shared.http.pagination import PageRequest

# Accounts matched at a time for one page of moves: enough to fill it when one in ten moves.
PAGE_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """Where an account is, where a plan sends it, and why."""

    account_id: UUID
    from_territory_id: UUID | None
    match: Match
    measures: tuple[AccountMeasures, ...] = ()


async def list_moves(
    read: AsyncConnection, plan_id: UUID, *, at: datetime, scope: Scope, page: PageRequest
) -> list[PlannedAccount]:
    """Return accounts that the plan would move, by id, one more than the page holds. Raises NotFound."""
    return await _list(read, plan_id, _moves, at=at, scope=scope, page=page)


def _moves(account: PlannedAccount) -> bool:
    return account.from_territory_id != account.match.territory_id


async def list_gaps(
    read: AsyncConnection,
    plan_id: UUID,
    *,
    reason: Reason | None,
    at: datetime,
    scope: Scope,
    page: PageRequest,
) -> list[PlannedAccount]:
    """Return accounts that the plan sends nowhere, by id, one more than the page holds. Raises NotFound."""
    reasons = set(Reason) if reason is None else {reason}
    return await _list(read, plan_id, lambda one: one.match.reason in reasons, at=at, scope=scope, page=page)


async def _list(
    read: AsyncConnection,
    plan_id: UUID,
    wanted: Callable[[PlannedAccount], bool],
    *,
    at: datetime,
    scope: Scope,
    page: PageRequest,
) -> list[PlannedAccount]:
    await find_plan(read, plan_id)
    sight = await look(read, plan_id, (await read_live_plan(read)).plan_id, scope)
    matcher = await load_matcher(read, plan_id, at=at)
    found: list[PlannedAccount] = []
    async for units in read_units(read, plan_id, after=page.after, chunk=PAGE_CHUNK):
        seen = [unit for unit in units if sight.begins(unit[TERRITORY_ID])]
        found += await asyncio.to_thread(_place, matcher, seen, wanted)
        if len(found) > page.limit:
            break
    return await _measured(read, found[: page.limit + 1])


def _place(
    matcher: Matcher, units: list[Unit], wanted: Callable[[PlannedAccount], bool]
) -> list[PlannedAccount]:
    placed = (PlannedAccount(unit[ACCOUNT_ID], unit[TERRITORY_ID], matcher.match(unit)) for unit in units)
    return [account for account in placed if wanted(account)]


async def _measured(read: AsyncConnection, found: list[PlannedAccount]) -> list[PlannedAccount]:
    measures = await find_measures(read, [account.account_id for account in found])
    return [replace(one, measures=tuple(measures.get(one.account_id, ()))) for one in found]
