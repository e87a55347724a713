"""Computes diffs from a snapshot: accounts chunk by chunk, matched off the event loop; nothing is stored."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.diffs.diff import PlaceDiff, Sight, Tally
from services.assignment.alignments.queries import read_units
from services.assignment.pins.queries import load_held
from services.assignment.placements.queries import has_placements
from services.assignment.plans.queries import find_plan, read_live_plan
from services.assignment.projections.queries import sum_measures
from services.assignment.rules.matcher import Matcher, Reason
from services.assignment.rules.queries import load_rules
from services.assignment.territories.queries import list_below, load_tree
from shared.db.scope import Scope


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


async def diff_plan(read: AsyncConnection, plan_id: UUID, *, at: datetime, scope: Scope) -> PlanDiff:
    """Match all accounts by a plan, its placements and the pins that hold, and sum up what that changes. Raises NotFound."""
    plan = await find_plan(read, plan_id)
    live = await read_live_plan(read)
    rules = await load_rules(read, plan_id)
    sight = await look(read, plan_id, live.plan_id, scope)
    tally = Tally(sight)
    matcher = Matcher(
        rules, await load_held(read, plan_id, at=at), places=await has_placements(read, plan_id)
    )
    async for units in read_units(read, plan_id):
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


async def look(read: AsyncConnection, plan_id: UUID, live_id: UUID | None, scope: Scope) -> Sight:
    """Return how far a caller sees, by the live tree and by the plan's."""
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
