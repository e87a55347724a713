"""Computes the balance of a plan from a snapshot: nothing is stored, a plan of any state may be asked for."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import find_points
from services.assignment.alignments.balances.census import Census, Holding, Pair
from services.assignment.alignments.balances.fairness import Fairness, measure_fairness
from services.assignment.alignments.balances.travel import Travel, measure_travel
from services.assignment.alignments.diffs.diff import PlaceDiff, Sight, Tally
from services.assignment.alignments.diffs.queries import look
from services.assignment.alignments.fit.queries import load_scorer
from services.assignment.alignments.queries import load_matcher, read_units
from services.assignment.plans.queries import find_plan, read_live_plan
from services.assignment.potentials.queries import EstimateFound, find_completed, sum_potentials
from services.assignment.projections.queries import sum_measures
from services.assignment.reps.coverages.queries import list_vacant
from services.assignment.rules.matcher import Reason
from services.assignment.territories.queries import load_tree
from services.assignment.territories.tree import Territory, Tree
from shared.db.scope import Scope

# Pairs beyond the largest ones say nothing more.
OVERLAPS_TOLD = 50


class Measure(StrEnum):
    """What is spread over territories."""

    ACCOUNTS = "accounts"
    EMPLOYEES = "employees"
    REVENUE = "revenue"
    PIPELINE = "pipeline"
    POTENTIAL = "potential"


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly one measure is spread, money by currency."""

    measure: Measure
    currency: str | None
    fairness: Fairness


@dataclass(frozen=True, slots=True)
class TerritoryBalance:
    """What one territory would hold, and whether nobody covers it."""

    territory: Territory
    holding: Holding
    travel: Travel
    vacant: bool


@dataclass(frozen=True, slots=True)
class PlanBalance:
    """How a plan would spread accounts over territories, and what that would move."""

    plan_id: UUID
    version: int
    against_plan_id: UUID | None
    spreads: list[Spread]
    territories: list[TerritoryBalance]
    gaps: int
    ties: int
    overlapping: int
    overlaps: list[tuple[Pair, int]]
    moves: PlaceDiff


async def balance_plan(
    read: AsyncConnection, plan_id: UUID, *, at: datetime, estimate_id: UUID | None = None, scope: Scope
) -> PlanBalance:
    """Match all accounts by a plan and measure what its territories would hold.

    Raises NotFound or PotentialEstimateNotCompleted.
    """
    plan = await find_plan(read, plan_id)
    live = await read_live_plan(read)
    sight = await look(read, plan_id, live.plan_id, scope)
    estimate = None if estimate_id is None else await find_completed(read, estimate_id)
    tree = await load_tree(read, plan_id)
    scorer = await load_scorer(read, [node.territory_id for node in tree.territories], at=at)
    census = Census(Tally(sight), scorer)
    await _take(census, read, plan_id, at=at, estimate=estimate)
    holdings = census.holdings_with_money()
    territories = working_territories(tree, holdings, sight)
    vacant = await list_vacant(read, [node.territory_id for node in territories], at=at)
    rows = await asyncio.to_thread(_rows, territories, holdings, vacant)
    return PlanBalance(
        plan_id=plan_id,
        version=plan.version,
        against_plan_id=live.plan_id,
        spreads=list(_spreads([row.holding for row in rows])),
        territories=rows,
        gaps=sum(census.tally.reasons.values()),
        ties=census.tally.reasons[Reason.TIE],
        overlapping=census.overlapping,
        overlaps=_largest(census, sight),
        moves=census.tally.totals(),
    )


async def _take(
    census: Census, read: AsyncConnection, plan_id: UUID, *, at: datetime, estimate: EstimateFound | None
) -> None:
    matcher = await load_matcher(read, plan_id, at=at)
    async for units in read_units(read, plan_id):
        accounts, numbers = await asyncio.to_thread(census.count, matcher, units)
        census.tally.measure(await sum_measures(read, accounts, numbers))
        census.place(accounts, numbers, await find_points(read, accounts))
        if estimate is not None:
            sums = await sum_potentials(read, estimate.estimate_id, accounts, numbers)
            census.add_potentials(estimate.currency, sums)


def working_territories(tree: Tree, holding: Iterable[UUID | None], sight: Sight) -> list[Territory]:
    """Return the territories that are there to hold accounts, by name: the leaves, and others that do."""
    inner = {node.parent_id for node in tree.territories} - set(holding)
    working = [
        node for node in tree.territories if node.territory_id not in inner and sight.ends(node.territory_id)
    ]
    return sorted(working, key=lambda node: (node.name, node.territory_id))


def _rows(
    territories: Iterable[Territory], holdings: Mapping[UUID | None, Holding], vacant: frozenset[UUID]
) -> list[TerritoryBalance]:
    rows = []
    for node in territories:
        holding = holdings.get(node.territory_id) or Holding()
        travel = measure_travel(holding.points)
        rows.append(TerritoryBalance(node, holding, travel, node.territory_id in vacant))
    return rows


def _spreads(holdings: list[Holding]) -> Iterable[Spread]:
    counted = {
        Measure.ACCOUNTS: [h.accounts for h in holdings],
        Measure.EMPLOYEES: [h.employees for h in holdings],
    }
    for measure, numbers in counted.items():
        yield Spread(measure, None, measure_fairness([Decimal(number) for number in numbers]))
    money = {
        Measure.REVENUE: [h.revenue for h in holdings],
        Measure.PIPELINE: [h.pipeline for h in holdings],
        Measure.POTENTIAL: [h.potential for h in holdings],
    }
    for measure, sums in money.items():
        for currency in sorted({currency for by_currency in sums for currency in by_currency}):
            # What was refunded beyond what was sold counts as nothing: shares of a negative sum mean nothing.
            amounts = [max(by_currency.get(currency, Decimal(0)), Decimal(0)) for by_currency in sums]
            yield Spread(measure, currency, measure_fairness(amounts))


def _largest(census: Census, sight: Sight) -> list[tuple[Pair, int]]:
    seen = [(pair, count) for pair, count in census.overlaps.items() if all(map(sight.ends, pair))]
    return sorted(seen, key=lambda row: (-row[1], row[0]))[:OVERLAPS_TOLD]
