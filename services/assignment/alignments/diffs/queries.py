"""Computes diffs from a snapshot: accounts chunk by chunk, matched off the event loop; nothing is stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.account import AccountMeasures
from services.assignment.alignments.diffs.diff import PlaceDiff, Sight, Tally
from services.assignment.alignments.queries import read_units
from services.assignment.alignments.realignment import ACCOUNT_ID, TERRITORY_ID, Unit
from services.assignment.plans.queries import find_plan, read_live_plan
from services.assignment.projections.queries import find_measures, sum_measures
from services.assignment.rules.matcher import Match, Matcher, Reason
from services.assignment.rules.queries import load_rules
from services.assignment.territories.queries import list_below, load_tree
from shared.db.scope import Scope
from shared.http.pagination import PageRequest

# Accounts matched at a time for one page of moves: enough to fill it when one in ten moves.
PAGE_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class TerritoryDiff:
    """What a territory gains, loses and keeps; no id is the gap."""

    territory_id: UUID | None
    name: str | None
    diff: PlaceDiff


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """A plan against what is in force."""

    plan_id: UUID
    version: int
    against_plan_id: UUID | None
    totals: PlaceDiff
    territories: list[TerritoryDiff]
    reasons: dict[Reason, int]
    rules_without_accounts: list[UUID]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an account is, where a plan sends it, and why."""

    account_id: UUID
    from_territory_id: UUID | None
    match: Match
    measures: tuple[AccountMeasures, ...] = ()


async def diff_plan(read: AsyncConnection, plan_id: UUID, *, scope: Scope) -> PlanDiff:
    """Match all accounts by a plan and sum up what that changes. Raises NotFound."""
    plan = await find_plan(read, plan_id)
    live = await read_live_plan(read)
    rules = await load_rules(read, plan_id)
    sight = await _look(read, plan_id, live.plan_id, scope)
    tally = Tally(sight)
    matcher = Matcher(rules)
    async for units in read_units(read):
        accounts, numbers = await asyncio.to_thread(tally.count, matcher, units)
        tally.measure(await sum_measures(read, accounts, numbers))
    return PlanDiff(
        plan_id=plan_id,
        version=plan.version,
        against_plan_id=live.plan_id,
        totals=tally.totals(),
        territories=_sorted(tally, await _names(read, plan_id, live.plan_id, sight)),
        reasons=dict(tally.reasons),
        rules_without_accounts=[
            rule.rule_id
            for rule in rules
            if rule.rule_id not in tally.rules and sight.ends(rule.territory_id)
        ],
    )


async def _look(read: AsyncConnection, plan_id: UUID, live_id: UUID | None, scope: Scope) -> Sight:
    if scope.everything:
        return Sight(everything=True)
    return Sight(
        live=await list_below(read, live_id, scope.roots),
        planned=await list_below(read, plan_id, scope.roots),
    )


async def _names(read: AsyncConnection, plan_id: UUID, live_id: UUID | None, sight: Sight) -> dict[UUID, str]:
    """Return the names of all territories that the caller may see, with or without accounts."""
    names: dict[UUID, str] = {}
    # The plan's own names win over those of the live plan, which knows territories that are gone.
    for tree_of, seen in ((live_id, sight.begins), (plan_id, sight.ends)):
        if tree_of is not None:
            nodes = (await load_tree(read, tree_of)).territories
            names |= {node.territory_id: node.name for node in nodes if seen(node.territory_id)}
    return names


def _sorted(tally: Tally, names: dict[UUID, str]) -> list[TerritoryDiff]:
    places = dict(tally.by_place())
    for territory_id in names:
        places.setdefault(territory_id, PlaceDiff())
    return sorted(
        (
            TerritoryDiff(place, None if place is None else names.get(place), diff)
            for place, diff in places.items()
        ),
        key=lambda row: (row.territory_id is None, row.name or "", str(row.territory_id)),
    )


async def list_moves(
    read: AsyncConnection, plan_id: UUID, *, scope: Scope, page: PageRequest
) -> list[Placement]:
    """Return accounts that the plan would move, by id, one more than the page holds. Raises NotFound."""
    return await _list(read, plan_id, _moves, scope=scope, page=page)


def _moves(placement: Placement) -> bool:
    return placement.from_territory_id != placement.match.territory_id


async def list_gaps(
    read: AsyncConnection, plan_id: UUID, *, reason: Reason | None, scope: Scope, page: PageRequest
) -> list[Placement]:
    """Return accounts that the plan sends nowhere, by id, one more than the page holds. Raises NotFound."""
    reasons = set(Reason) if reason is None else {reason}
    return await _list(read, plan_id, lambda one: one.match.reason in reasons, scope=scope, page=page)


async def _list(
    read: AsyncConnection,
    plan_id: UUID,
    wanted: Callable[[Placement], bool],
    *,
    scope: Scope,
    page: PageRequest,
) -> list[Placement]:
    await find_plan(read, plan_id)
    sight = await _look(read, plan_id, (await read_live_plan(read)).plan_id, scope)
    matcher = Matcher(await load_rules(read, plan_id))
    found: list[Placement] = []
    async for units in read_units(read, after=page.after, chunk=PAGE_CHUNK):
        seen = [unit for unit in units if sight.begins(unit[TERRITORY_ID])]
        found += await asyncio.to_thread(_place, matcher, seen, wanted)
        if len(found) > page.limit:
            break
    return await _measured(read, found[: page.limit + 1])


def _place(matcher: Matcher, units: list[Unit], wanted: Callable[[Placement], bool]) -> list[Placement]:
    placed = (Placement(unit[ACCOUNT_ID], unit[TERRITORY_ID], matcher.match(unit)) for unit in units)
    return [placement for placement in placed if wanted(placement)]


async def _measured(read: AsyncConnection, found: list[Placement]) -> list[Placement]:
    measures = await find_measures(read, [placement.account_id for placement in found])
    return [replace(one, measures=tuple(measures.get(one.account_id, ()))) for one in found]
