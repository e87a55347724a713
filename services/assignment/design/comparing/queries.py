"""Reading a plan's scenarios side by side."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.comparing.comparison import Standing, number_groups, on_front, shared_measures
from services.assignment.design.proposals.queries import find_proposing
from services.assignment.design.proposals.staleness import Stale, read_now
from services.assignment.design.runs.queries import SCENARIO
from services.assignment.design.runs.run import BalancedMeasure, RunState, Scenario
from shared.runtime.refusals import NotFound


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
    edited_accounts: int
    standing: Standing
    group: int
    on_front: bool
    stale: Stale


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scenarios of a plan, and the measures that all of them balance."""

    shared_measures: list[BalancedMeasure]
    runs: list[ComparedRun]


_COMPARED = text("""
SELECT r.run_id, r.name, r.scenario, r.state, r.plan_version, p.units AS accounts, p.moved_accounts, p.aligned_accounts,
       p.edited_accounts, p.deviation, p.mean_km, p.live_sequence,
       (SELECT md5(string_agg(json_build_array(o.factor, o.state, o.county, o.area)::text, ' ' ORDER BY o.region))
        FROM design_run_road_regions AS o WHERE o.run_id = r.run_id) AS roads,
       ARRAY(SELECT territory_id FROM design_run_territories AS t WHERE t.run_id = r.run_id ORDER BY 1) AS territory_ids
FROM design_runs AS r JOIN design_proposals AS p USING (run_id)
WHERE r.plan_id = :plan_id AND (CAST(:run_ids AS uuid[]) IS NULL OR r.run_id = ANY (CAST(:run_ids AS uuid[])))
ORDER BY r.run_id DESC LIMIT :rows
""")


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
    now = await read_now(read, plan_id)
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
            edited_accounts=row.edited_accounts,
            standing=standing,
            group=group,
            on_front=front,
            stale=now.stale(row.plan_version, row.live_sequence),
        )
        for row, scenario, standing, group, front in zip(
            found, scenarios, standings, groups, on_front(standings, groups), strict=True
        )
    ]
    measures = [] if not scenarios else [one for one in scenarios[0].measures if _identity(one) in shared]
    return Comparison(measures, compared)


def _subject(row: Any, scenario: Scenario) -> tuple[object, ...]:
    """Return what scenarios have in common that can be compared: territories, accounts, what these require, and roads."""
    roads = (scenario.road_factor, row.roads)
    return tuple(row.territory_ids), row.accounts, row.aligned_accounts, frozenset(scenario.required), roads


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
