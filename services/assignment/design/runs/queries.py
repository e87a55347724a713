"""Reading design runs: what was asked, how far each is, and which accounts it leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.design.runs.run import (
    CapacitySource,
    Failure,
    Family,
    Figures,
    Forbidden,
    LeftOut,
    RoadRegion,
    RunState,
    RunTerritory,
    Scenario,
    Size,
)
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

SCENARIO = TypeAdapter(Scenario)
FIGURES = TypeAdapter(Figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRun:
    """A run as it stands; `number` rises with every change of it, `attempt` counts the workers that took it."""

    run_id: UUID
    plan_id: UUID
    plan_version: int
    name: str
    scenario: Scenario
    state: RunState
    number: int
    attempt: int
    stage: str | None
    share: float | None
    figures: Figures | None
    time_budget_seconds: int
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    told_at: datetime
    ended_at: datetime | None
    cancel_asked_by: str | None
    reason: Failure | None
    detail: str | None


_COLUMNS = """
run_id, plan_id, plan_version, name, scenario, state, number, attempt, stage, share, figures, time_budget_seconds,
asked_by, asked_at, started_at, told_at, ended_at, cancel_asked_by, reason, detail
"""
_FIND = text(f"SELECT {_COLUMNS} FROM design_runs WHERE run_id = :run_id")
_LIST = text(f"""
SELECT {_COLUMNS} FROM design_runs
WHERE plan_id = :plan_id AND (CAST(:state AS text) IS NULL OR state = :state)
  AND (CAST(:after AS uuid) IS NULL OR run_id < :after)
ORDER BY run_id DESC LIMIT :rows
""")
_TERRITORIES = text("""
SELECT number, territory_id, name, capacity, capacity_source, home_latitude, home_longitude, least_accounts, most_accounts
FROM design_run_territories WHERE run_id = :run_id ORDER BY number
""")
_BARRIERS = text("SELECT longitudes, latitudes FROM design_run_barriers WHERE run_id = :run_id ORDER BY line")
_ROAD_REGIONS = text("""
SELECT factor, state, county, area FROM design_run_road_regions WHERE run_id = :run_id ORDER BY region
""")
_FAMILIES = text("SELECT name, account_ids FROM design_run_families WHERE run_id = :run_id ORDER BY family")
_FORBIDDEN = text("""
SELECT territory_id, account_ids FROM design_run_forbidden_accounts WHERE run_id = :run_id ORDER BY territory_id
""")
_GOES_ON = text("""
SELECT 1 FROM design_runs
WHERE run_id = :run_id AND state = 'running' AND attempt = :attempt AND cancel_asked_by IS NULL
""")
_LEFT_OUT = text("""
SELECT account_id, reason FROM design_left_out_accounts
WHERE run_id = :run_id AND (CAST(:reason AS text) IS NULL OR reason = :reason)
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
""")


@dataclass(frozen=True, slots=True)
class LeftOutAccount:
    """An account that takes no part, and why."""

    account_id: UUID
    reason: LeftOut


async def find_run(read: AsyncConnection, run_id: UUID) -> DesignRun:
    """Return one run. Raises NotFound."""
    row = (await read.execute(_FIND, {"run_id": run_id})).mappings().one_or_none()
    if row is None:
        raise NotFound("run_id: there is no such design run.")
    return _run(row)


async def list_runs(
    read: AsyncConnection, plan_id: UUID, *, state: RunState | None, page: PageRequest
) -> list[DesignRun]:
    """Return runs of a plan, newest first, one more than the page holds."""
    rows = await read.execute(
        _LIST, {"plan_id": plan_id, "state": state, "after": page.after, "rows": page.limit + 1}
    )
    return [_run(row) for row in rows.mappings()]


async def list_run_territories(read: AsyncConnection, run_id: UUID) -> list[RunTerritory]:
    """Return the territories of a run by their numbers."""
    return [
        RunTerritory(
            row.number,
            row.territory_id,
            row.name,
            row.capacity,
            CapacitySource(row.capacity_source),
            None if row.home_latitude is None else (row.home_latitude, row.home_longitude),
            Size(row.least_accounts, row.most_accounts),
        )
        for row in await read.execute(_TERRITORIES, {"run_id": run_id})
    ]


async def list_barriers(read: AsyncConnection, run_id: UUID) -> list[list[tuple[float, float]]]:
    """Return the lines that no territory of a run crosses, each as longitudes and latitudes."""
    rows = await read.execute(_BARRIERS, {"run_id": run_id})
    return [list(zip(row.longitudes, row.latitudes, strict=True)) for row in rows]


async def list_road_regions(read: AsyncConnection, run_id: UUID) -> list[RoadRegion]:
    """Return the regions of a run that have road factors of their own, in the order they were told."""
    rows = await read.execute(_ROAD_REGIONS, {"run_id": run_id})
    return [RoadRegion(row.factor, row.state, row.county, row.area) for row in rows]


async def list_families(read: AsyncConnection, run_id: UUID) -> list[Family]:
    """Return the accounts that a caller wants to go to one territory, family by family."""
    rows = await read.execute(_FAMILIES, {"run_id": run_id})
    return [Family(row.name, tuple(row.account_ids)) for row in rows]


async def list_forbidden(read: AsyncConnection, run_id: UUID) -> list[Forbidden]:
    """Return what territories of a run may not have, by territory."""
    rows = await read.execute(_FORBIDDEN, {"run_id": run_id})
    return [Forbidden(row.territory_id, tuple(row.account_ids)) for row in rows]


async def goes_on(read: AsyncConnection, run_id: UUID, *, attempt: int) -> bool:
    """Tell whether who took a run for the n-th time is to go on with it: nobody cancelled it or took it since."""
    return (await read.execute(_GOES_ON, {"run_id": run_id, "attempt": attempt})).first() is not None


async def list_left_out(
    read: AsyncConnection, run_id: UUID, *, reason: LeftOut | None, page: PageRequest
) -> list[LeftOutAccount]:
    """Return accounts that take no part, by id, one more than the page holds."""
    rows = await read.execute(
        _LEFT_OUT, {"run_id": run_id, "reason": reason, "after": page.after, "rows": page.limit + 1}
    )
    return [LeftOutAccount(row.account_id, LeftOut(row.reason)) for row in rows]


def _run(row: Mapping[Any, Any]) -> DesignRun:
    figures, reason = row["figures"], row["reason"]
    return DesignRun(
        **{
            **row,
            "scenario": SCENARIO.validate_python(row["scenario"]),
            "state": RunState(row["state"]),
            "figures": None if figures is None else FIGURES.validate_python(figures),
            "reason": None if reason is None else Failure(reason),
        }
    )
