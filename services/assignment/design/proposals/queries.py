"""Reading proposals: totals, territory by territory, account by account; and a plan's scenarios side by side."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.inputs.unmet import Unmet
from services.assignment.design.proposals.comparison import (
    Standing,
    number_groups,
    on_front,
    shared_measures,
)
from services.assignment.design.proposals.frontier import KeptFrontier, read_frontier
from services.assignment.design.proposals.refusals import DesignRunWithoutProposal
from services.assignment.design.runs.queries import SCENARIO, DesignRun, find_run
from services.assignment.design.runs.run import BalancedMeasure, LeftOut, RunState, Scenario
from services.assignment.placements.placement import Pair
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

ReasonWhy = Literal["fixed", "stays", "nearest", "balance", "whole"]
UNMET = TypeAdapter(list[Unmet])


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that costs travel: of a measure by its place in the scenario, at the low or the high side."""

    measure: int
    side: Literal["low", "high"]
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalTerritory:
    """What a territory would get."""

    territory_id: UUID
    name: str
    capacity: float
    accounts: int
    gained: int
    lost: int
    loads: list[float]
    targets: list[float]
    latitude: float | None
    longitude: float | None
    mean_km: float | None
    parts: int
    binding: list[Limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalTotals:
    """What a proposal comes to; lists are by measure."""

    feasible: bool
    units: int
    left_out: dict[LeftOut, int]
    elsewhere: int
    unmet: list[Unmet]
    totals: list[float]
    deviation: list[float]
    least_deviation: list[float]
    least_moved: list[float]
    mean_km: float
    cost: float
    bound: float
    gap: float | None
    aligned_accounts: int
    moved_accounts: int
    moved_share: float
    why: list[str]
    seed: int
    solver_version: str
    input_hash: str
    frontier: KeptFrontier | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ProposalFound:
    """A proposal with the run that it is of."""

    run: DesignRun
    totals: ProposalTotals
    territories: list[ProposalTerritory]


@dataclass(frozen=True, slots=True)
class ProposedAccount:
    """Where an account would go, where it is today, and why."""

    account_id: UUID
    territory_before: UUID | None
    territory_after: UUID
    reason: ReasonWhy


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A scenario beside others."""

    run_id: UUID
    name: str
    scenario: Scenario
    state: RunState
    plan_version: int
    territories: int
    accounts: int
    moved_accounts: int
    standing: Standing
    group: int
    on_front: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scenarios of a plan, and the measures that all of them balance."""

    shared_measures: list[BalancedMeasure]
    runs: list[ComparedRun]


_TOTALS = text("""
SELECT feasible, units, left_out, elsewhere, unmet, totals, deviation, least_deviation, least_moved, mean_km, cost, bound,
       gap, aligned_accounts, moved_accounts, moved_share, why, seed, solver_version, input_hash, frontier, made_at
FROM design_proposals WHERE run_id = :run_id
""")
_TERRITORIES = text("""
SELECT p.territory_id, r.name, r.capacity, p.accounts, p.gained, p.lost, p.loads, p.targets, p.latitude, p.longitude,
       p.mean_km, p.parts, p.binding
FROM design_proposal_territories AS p JOIN design_run_territories AS r USING (run_id, territory_id)
WHERE p.run_id = :run_id ORDER BY r.name, p.territory_id
""")
_ACCOUNTS = text("""
SELECT account_id, territory_before, territory_after, reason FROM design_proposal_units
WHERE run_id = :run_id
  AND (CAST(:territory_id AS uuid) IS NULL OR :territory_id IN (territory_before, territory_after))
  AND (CAST(:moved AS boolean) IS NULL OR (territory_before IS NOT NULL AND territory_before <> territory_after) = :moved)
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
""")
_HAS_TERRITORY = text("""
SELECT 1 FROM design_run_territories WHERE run_id = :run_id AND territory_id = :territory_id
UNION ALL SELECT 1 FROM design_proposal_units WHERE run_id = :run_id AND territory_before = :territory_id LIMIT 1
""")
_PAIRS = text("""
SELECT account_id, territory_after FROM design_proposal_units
WHERE run_id = :run_id
  AND (CAST(:territory_ids AS uuid[]) IS NULL OR territory_after = ANY (CAST(:territory_ids AS uuid[])))
ORDER BY account_id
""")
_COMPARED = text("""
SELECT r.run_id, r.name, r.scenario, r.state, r.plan_version, p.units AS accounts, p.moved_accounts, p.aligned_accounts,
       p.deviation, p.mean_km,
       ARRAY(SELECT territory_id FROM design_run_territories AS t WHERE t.run_id = r.run_id ORDER BY 1) AS territory_ids
FROM design_runs AS r JOIN design_proposals AS p USING (run_id)
WHERE r.plan_id = :plan_id AND (CAST(:run_ids AS uuid[]) IS NULL OR r.run_id = ANY (CAST(:run_ids AS uuid[])))
ORDER BY r.run_id DESC LIMIT :rows
""")


async def find_proposing(read: AsyncConnection, run_id: UUID) -> DesignRun:
    """Return a run that has a proposal. Raises NotFound, DesignRunWithoutProposal."""
    run = await find_run(read, run_id)
    if not run.state.proposes:
        wait = "it has none" if run.state.ended else "wait for it to finish"
        raise DesignRunWithoutProposal(f"run_id: the design run {run_id} is {run.state}; {wait}.")
    return run


async def find_proposal(read: AsyncConnection, run_id: UUID) -> ProposalFound:
    """Return what a run proposes. Raises NotFound, DesignRunWithoutProposal."""
    run = await find_proposing(read, run_id)
    row = (await read.execute(_TOTALS, {"run_id": run_id})).mappings().one()
    left_out = {LeftOut(reason): count for reason, count in row["left_out"].items()}
    unmet = UNMET.validate_python(row["unmet"])
    frontier = read_frontier(row["frontier"])
    territories = await read.execute(_TERRITORIES, {"run_id": run_id})
    return ProposalFound(
        run,
        ProposalTotals(**{**row, "left_out": left_out, "unmet": unmet, "frontier": frontier}),
        [
            ProposalTerritory(**{**one, "binding": [Limit(**limit) for limit in one["binding"]]})
            for one in territories.mappings()
        ],
    )


async def check_proposed_territory(read: AsyncConnection, run_id: UUID, territory_id: UUID) -> None:
    """See that accounts may go to a territory, or that some come from it. Raises NotFound."""
    known = await read.execute(_HAS_TERRITORY, {"run_id": run_id, "territory_id": territory_id})
    if known.first() is None:
        raise NotFound(
            f"territory_id: the run does not design {territory_id}, and no account of it is there today."
        )


async def list_proposed_accounts(
    read: AsyncConnection, run_id: UUID, *, territory_id: UUID | None, moved: bool | None, page: PageRequest
) -> list[ProposedAccount]:
    """Return accounts that go to or come from a territory, by id, one more than the page holds."""
    rows = await read.execute(
        _ACCOUNTS,
        {
            "run_id": run_id,
            "territory_id": territory_id,
            "moved": moved,
            "after": page.after,
            "rows": page.limit + 1,
        },
    )
    return [ProposedAccount(*row) for row in rows]


async def list_places(
    read: AsyncConnection, run_id: UUID, territory_ids: Collection[UUID] | None
) -> list[Pair]:
    """Return accounts with where they would go: all of them, or those that go to some territories."""
    wanted = None if territory_ids is None else list(territory_ids)
    result = await read.stream(_PAIRS, {"run_id": run_id, "territory_ids": wanted})
    places: list[Pair] = []
    # Decoding more rows at once would hold the event loop.
    async for rows in result.partitions(5_000):
        places += [Pair(row.account_id, row.territory_after) for row in rows]
    return places


async def compare_runs(
    read: AsyncConnection, plan_id: UUID, run_ids: Collection[UUID] | None, *, rows: int
) -> Comparison:
    """Return a plan's scenarios that have proposals, the latest first, judged against each other.

    Raises NotFound, DesignRunWithoutProposal for runs that are asked for by name.
    """
    for run_id in run_ids or ():
        if (await find_proposing(read, run_id)).plan_id != plan_id:
            raise NotFound(f"run_id: the plan has no design run {run_id}.")
    wanted = None if run_ids is None else list(run_ids)
    found = (await read.execute(_COMPARED, {"plan_id": plan_id, "run_ids": wanted, "rows": rows})).all()
    scenarios: list[Scenario] = [SCENARIO.validate_python(row.scenario) for row in found]
    shared = shared_measures([[_identity(one) for one in scenario.measures] for scenario in scenarios])
    groups = number_groups([_subject(row, scenario) for row, scenario in zip(found, scenarios, strict=True)])
    standings = [_standing(row, scenario, shared) for row, scenario in zip(found, scenarios, strict=True)]
    compared = [
        ComparedRun(
            run_id=row.run_id,
            name=row.name,
            scenario=scenario,
            state=RunState(row.state),
            plan_version=row.plan_version,
            territories=len(row.territory_ids),
            accounts=row.accounts,
            moved_accounts=row.moved_accounts,
            standing=standing,
            group=group,
            on_front=front,
        )
        for row, scenario, standing, group, front in zip(
            found, scenarios, standings, groups, on_front(standings, groups), strict=True
        )
    ]
    measures = [] if not scenarios else [one for one in scenarios[0].measures if _identity(one) in shared]
    return Comparison(measures, compared)


def _subject(row: Any, scenario: Scenario) -> tuple[object, ...]:
    """Return what two scenarios have in common that can be compared: territories, accounts, and what these require."""
    return (
        tuple(row.territory_ids),
        row.accounts,
        row.aligned_accounts,
        frozenset(scenario.required),
    )


def _standing(row: Any, scenario: Scenario, shared: Collection[object]) -> Standing:
    deviations = [
        deviation
        for one, deviation in zip(scenario.measures, row.deviation, strict=True)
        if _identity(one) in shared
    ]
    return Standing(
        deviation=max(deviations, default=None),
        mean_km=row.mean_km,
        moved=row.moved_accounts / row.aligned_accounts if row.aligned_accounts else 0.0,
    )


def _identity(one: BalancedMeasure) -> tuple[str, str | None, UUID | None]:
    return (one.measure.value, one.currency, one.potential_estimate_id)
