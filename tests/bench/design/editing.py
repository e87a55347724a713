"""How long a planner waits who moves one account by hand: a real api process and Postgres, over HTTP, one request at a time.

The floor is a bare read of the run over the same connection. The proposal is designed by the engine and kept as the worker
keeps it; its accounts are nobody's else, because edits read what was kept alone.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import numpy as np
from pydantic_core import to_jsonable_python

from services.assignment.design.designing import design, warm_up
from services.assignment.design.engine.geography import Plane
from services.assignment.design.inputs.question import Material, Question
from services.assignment.design.proposals.commands.keep_proposal import KeepProposal, keep_proposal
from services.assignment.design.runs.run import (
    BalancedMeasure,
    CapacitySource,
    DesignMeasure,
    Disruption,
    Mode,
    RunTerritory,
    Scenario,
)
from shared.db.transact import Transactor
from shared.runtime.clock import SystemClock
from shared.runtime.ids import new_id
from shared.testing.databases import ServiceDatabase
from shared.testing.tokens import Issuer
from tests.bench.design.instances import kept, load
from tests.bench.report import Result
from tests.bench.servers import server
from tests.bench.stage import engines

TOLERANCE = 0.05
MIDDLE = Plane(39.0, -96.0)
EDITS, MANY = 60, 300
_RUN = """
INSERT INTO assignment.design_runs (run_id, plan_id, plan_version, name, scenario, state, attempt, time_budget_seconds,
                                    asked_by, asked_at, started_at, told_at)
VALUES ($1, $2, 1, 'bench', $3, 'running', 1, 300, 'bench', now(), now(), now())
"""
# Accounts at a border: with where an account beside them is.
_BORDER = """
SELECT u.account_id, u.territory_after, n.territory_after FROM assignment.design_proposal_units AS u
JOIN assignment.design_proposal_units AS n ON n.run_id = u.run_id AND n.unit = u.neighbours[1]
WHERE u.run_id = $1 AND n.territory_after <> u.territory_after ORDER BY u.account_id LIMIT $2
"""


def edits(place: str, territories: int) -> list[Result]:
    """Measure edits of one account, and of some hundred; what the first one takes is told beside."""
    with engines() as stage:
        return asyncio.run(_measure(stage.databases.for_service("assignment"), place, territories))


async def _measure(making: Awaitable[ServiceDatabase], place: str, territories: int) -> list[Result]:
    database, issuer = await making, Issuer()
    with tempfile.TemporaryDirectory() as folder:
        jwks = issuer.write_jwks(Path(folder))
        async with (
            server("services.assignment", "api", database=database, probe="/health/ready", jwks=jwks) as port,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=issuer.headers("admin"), timeout=60
            ) as http,
        ):
            run_id = await _propose(database, http, place, territories)
            return await _edit(database, http, run_id, f"edit-{place}")


async def _propose(database: ServiceDatabase, http: httpx.AsyncClient, place: str, count: int) -> UUID:
    """Have a run with a proposal, as the worker leaves it."""
    plan = (await http.post("/v1/plans", json={"name": "Bench"})).raise_for_status().json()["plan_id"]
    run_id, territory_ids = new_id(), [new_id() for _ in range(count)]
    question = _question(place, count)
    await asyncio.to_thread(warm_up)
    answer = await asyncio.to_thread(design, question, seconds=600.0, tell=lambda _: None)
    raw = await asyncpg.connect(database.admin_url)
    await raw.execute(_RUN, run_id, UUID(plan), json.dumps(to_jsonable_python(_scenario())))
    await raw.copy_records_to_table(
        "design_run_territories",
        schema_name="assignment",
        columns=("run_id", "number", "territory_id", "name", "capacity", "capacity_source"),
        records=[(run_id, k, one, f"Territory {k}", 1.0, "equal") for k, one in enumerate(territory_ids)],
    )
    engine = database.build_engine()
    kept_ = KeepProposal(
        run_id,
        1,
        tuple(
            RunTerritory(k, one, f"Territory {k}", 1.0, CapacitySource.EQUAL, None)
            for k, one in enumerate(territory_ids)
        ),
        Material(
            question=question,
            account_ids=[new_id() for _ in range(len(question.latitude))],
            before=[territory_ids[k] for k in question.incumbents.tolist()],
            left_out=[],
            elsewhere=0,
            unmet=[],
        ),
        answer,
        live_sequence=0,
    )
    if not await Transactor(engine, SystemClock(), "/bench/assignment")(keep_proposal, kept_):
        raise RuntimeError("the proposal was not kept")
    await engine.dispose()
    await raw.close()
    return run_id


def _question(place: str, count: int) -> Question:
    instance = load(kept(place))
    latitude, longitude = MIDDLE.to_sphere(instance.xy)
    n = instance.units
    return Question(
        latitude=latitude,
        longitude=longitude,
        measures=instance.measures[:, :2],
        move_value=np.ones(n),
        # Stripes from west to east: today's plan is none that anybody would want.
        incumbents=(np.argsort(np.argsort(longitude)) * count // n).astype(np.int32),
        uprooted=np.zeros(n, np.bool_),
        fixed=np.full(n, -1, np.int32),
        kinds=None,
        permitted=None,
        capacities=np.ones(count),
        homes=np.full((count, 2), np.nan),
        tolerance=np.array([TOLERANCE, 2 * TOLERANCE]),
        soft=np.array([False, True]),
        pull=0.0,
        stay=0.0,
        most_moved=1.0,
        contiguous=True,
        starts=1,
        seed=1,
    )


def _scenario() -> Scenario:
    return Scenario(
        mode=Mode.GREENFIELD,
        measures=(
            BalancedMeasure(DesignMeasure.EMPLOYEES, TOLERANCE),
            BalancedMeasure(DesignMeasure.REVENUE, 2 * TOLERANCE, soft=True, currency="USD"),
        ),
        disruption=Disruption(),
        pull=0.0,
        required=(),
        contiguous=True,
        whole=True,
        with_gaps=True,
        starts=1,
        seed=1,
    )


async def _edit(database: ServiceDatabase, http: httpx.AsyncClient, run_id: UUID, case: str) -> list[Result]:
    raw = await asyncpg.connect(database.admin_url)
    border = await raw.fetch(_BORDER, run_id, EDITS + MANY + 1)
    await raw.close()
    path, version = f"/v1/design-runs/{run_id}", 1

    async def change(part: str, body: object) -> float:
        nonlocal version
        started = time.perf_counter()
        answer = await http.post(f"{path}/{part}", json=body, headers={"if-match": f'"{version}"'})
        seconds = time.perf_counter() - started
        version = answer.raise_for_status().json()["edit_version"]
        return seconds

    async def read() -> float:
        started = time.perf_counter()
        (await http.get(path)).raise_for_status()
        return time.perf_counter() - started

    await read()
    first = await change("edits", _body(border[:1]))
    one, floors = await _in_turn(lambda number: change("edits", _body(border[number + 1 : number + 2])), read)
    undone, floors_undone = await _in_turn(lambda _: change("edit-undoings", None), read)
    many = await change("edits", _body(border[EDITS + 1 :]))
    note = f"first of the process {1000 * first:.0f} ms, {MANY} accounts at once {1000 * many:.0f} ms; floor: GET of the run"
    return [
        _result(case, one, floors, note=note),
        _result(
            case.replace("edit-", "undo-"), undone, floors_undone, note="an edit taken back; floor: the same"
        ),
    ]


async def _in_turn(
    change: Callable[[int], Awaitable[float]], floor: Callable[[], Awaitable[float]]
) -> tuple[list[float], list[float]]:
    values, floors = [], []
    for number in range(EDITS):
        values.append(await change(number))
        floors.append(await floor())
    return values, floors


def _body(rows: Sequence[asyncpg.Record]) -> dict[str, list[dict[str, str]]]:
    return {"moves": [{"account_id": str(row[0]), "territory_id": str(row[2])} for row in rows]}


def _result(case: str, values: Sequence[float], floors: Sequence[float], *, note: str) -> Result:
    value, floor = statistics.median(values), statistics.median(floors)
    slow = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return Result(
        bench="design",
        case=case,
        value=round(1000 * value, 1),
        unit="ms",
        floor=round(1000 * floor, 1),
        ratio=round(value / floor, 2),
        samples=len(values),
        note=f"p95 {1000 * slow:.0f} ms, worst {1000 * max(values):.0f} ms; {note}",
    )
