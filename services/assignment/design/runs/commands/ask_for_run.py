"""Ask for a run: stored with what its territories can carry now, and queued in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.runs.commands.put_job import put_job
from services.assignment.design.runs.commands.store_limits import (
    Line,
    check_families,
    check_forbidden,
    store_barriers,
    store_families,
    store_forbidden,
)
from services.assignment.design.runs.commands.store_roads import check_road_regions, store_road_regions
from services.assignment.design.runs.commands.tell_followers import tell_followers
from services.assignment.design.runs.queries import DesignRun, find_run
from services.assignment.design.runs.refusals import DesignRunExists, InvalidScenario
from services.assignment.design.runs.run import (
    ANY_SIZE,
    DesignMeasure,
    Family,
    Forbidden,
    RoadRegion,
    RunTerritory,
    Scenario,
    Size,
)
from services.assignment.design.runs.territories import Told, choose_territories, describe_territories
from services.assignment.plans.plan import PlanState
from services.assignment.plans.queries import PlanSummary, find_plan
from services.assignment.plans.refusals import PlanNotDraft
from services.assignment.potentials.queries import find_completed
from services.assignment.potentials.refusals import PotentialEstimateNotCompleted
from services.assignment.territories.queries import load_tree
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id_at
from shared.runtime.refusals import NotFound

_STORE = text("""
INSERT INTO design_runs (run_id, plan_id, plan_version, name, scenario, state, time_budget_seconds, asked_by,
                         asked_at, told_at)
VALUES (:run_id, :plan_id, :plan_version, :name, CAST(:scenario AS jsonb), 'queued', :time_budget_seconds, :asked_by,
        :now, :now)
ON CONFLICT (plan_id, name) DO NOTHING RETURNING run_id
""")
_STORE_TERRITORIES = text("""
INSERT INTO design_run_territories (run_id, number, territory_id, name, capacity, capacity_source, home_latitude,
                                    home_longitude, least_accounts, most_accounts)
SELECT :run_id, i.* FROM unnest(
    CAST(:numbers AS int[]), CAST(:territory_ids AS uuid[]), CAST(:names AS text[]), CAST(:capacities AS float8[]),
    CAST(:sources AS text[]), CAST(:latitudes AS float8[]), CAST(:longitudes AS float8[]), CAST(:least AS int[]),
    CAST(:most AS int[])
) AS i
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForRun:
    """Design a draft's territories. `territory_ids` None: all leaves. `equal`: capacities do not count."""

    plan_id: UUID
    name: str | None
    scenario: Scenario
    territory_ids: frozenset[UUID] | None
    equal: bool
    capacities: Mapping[UUID, float]
    homes: Mapping[UUID, tuple[float, float]]
    time_budget_seconds: int
    size: Size = ANY_SIZE
    sizes: Mapping[UUID, Size] = field(default_factory=dict)
    families: Sequence[Family] = ()
    forbidden: Sequence[Forbidden] = ()
    barriers: Sequence[Line] = ()
    road_regions: Sequence[RoadRegion] = ()


async def ask_for_run(command: AskForRun, uow: UnitOfWork) -> DesignRun:
    """Store and queue a run. Raises NotFound, PlanNotDraft, InvalidScenario, DesignRunExists."""
    plan = await _find_draft(uow, command.plan_id)
    await _check_estimates(uow, command.scenario)
    await check_families(uow, command.families)
    await check_road_regions(uow, command.road_regions)
    tree = await load_tree(uow.connection, plan.plan_id)
    chosen = choose_territories(tree, command.territory_ids)
    told = Told(command.capacities, command.homes, command.equal, command.size, command.sizes)
    territories = await describe_territories(uow.connection, chosen, told, at=uow.now)
    _check_homes(command.scenario, territories)
    await check_forbidden(uow, command.forbidden, {one.territory_id for one in territories})
    run_id = new_id_at(uow.now)
    name = command.name or f"{command.scenario.mode.value} {run_id}"
    stored = await uow.connection.execute(
        _STORE,
        {
            "run_id": run_id,
            "plan_id": plan.plan_id,
            "plan_version": plan.version,
            "name": name,
            "scenario": json.dumps(to_jsonable_python(command.scenario)),
            "time_budget_seconds": command.time_budget_seconds,
            "asked_by": uow.actor,
            "now": uow.now,
        },
    )
    if stored.first() is None:
        detail = f"the plan has a design run named {name!r}; choose another name"
        raise DesignRunExists(f"name: {detail}.", errors=[{"pointer": "/name", "detail": detail}])
    await _store_territories(uow, run_id, territories)
    await store_families(uow, run_id, command.families)
    await store_forbidden(uow, run_id, command.forbidden)
    await store_barriers(uow, run_id, command.barriers)
    await store_road_regions(uow, run_id, command.road_regions)
    await put_job(uow, run_id)
    await tell_followers(uow, run_id)
    return await find_run(uow.connection, run_id)


async def _find_draft(uow: UnitOfWork, plan_id: UUID) -> PlanSummary:
    plan = await find_plan(uow.connection, plan_id)
    if plan.state != PlanState.DRAFT:
        raise PlanNotDraft(
            f"The plan is {plan.state}: territories are designed in drafts; clone it and ask for the clone."
        )
    return plan


async def _check_estimates(uow: UnitOfWork, scenario: Scenario) -> None:
    for number, one in enumerate(scenario.measures):
        if one.measure is DesignMeasure.POTENTIAL and one.potential_estimate_id is not None:
            try:
                await find_completed(uow.connection, one.potential_estimate_id)
            except (NotFound, PotentialEstimateNotCompleted) as error:
                pointer = f"/measures/{number}/potential_estimate_id"
                raise InvalidScenario(
                    f"measures: {error.detail}", errors=[{"pointer": pointer, "detail": error.detail}]
                ) from None


def _check_homes(scenario: Scenario, territories: Sequence[RunTerritory]) -> None:
    if scenario.pull == 0.0 or any(one.home is not None for one in territories):
        return
    detail = "no territory has a home: tell homes, give reps postal codes that located accounts have, or leave pull at 0"
    raise InvalidScenario(f"pull: {detail}.", errors=[{"pointer": "/pull", "detail": detail}])


async def _store_territories(uow: UnitOfWork, run_id: UUID, territories: Sequence[RunTerritory]) -> None:
    homes = [one.home or (None, None) for one in territories]
    await uow.connection.execute(
        _STORE_TERRITORIES,
        {
            "run_id": run_id,
            "numbers": [one.number for one in territories],
            "territory_ids": [one.territory_id for one in territories],
            "names": [one.name for one in territories],
            "capacities": [one.capacity for one in territories],
            "sources": [one.capacity_source.value for one in territories],
            "latitudes": [home[0] for home in homes],
            "longitudes": [home[1] for home in homes],
            "least": [one.size.least for one in territories],
            "most": [one.size.most for one in territories],
        },
    )
