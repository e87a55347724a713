"""A worker that ends in the middle of a run, killed or told to: its engines end with it, and the run is done by the next."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.assignment.design.own_process import Engines
from shared.testing.databases import Databases
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import PATIENCE, Designs, organisation

# Two workers load their engines, and the lease of the first runs out.
pytestmark = pytest.mark.timeout(3 * PATIENCE)

HARD = [{"measure": "accounts", "tolerance": 0.01}, {"measure": "employees", "tolerance": 0.01}]

# Employees are no multiple of the number of territories: the engine goes on looking for minutes.
UNREACHABLE = [{"measure": "accounts"}, {"measure": "employees", "tolerance": 1e-9}]


class Worker:
    """The service's own worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @property
    def children(self) -> list[int]:
        """The ids of the processes that it started: its engines, and what looks after them."""
        return _children(self.process.pid)

    async def kill(self) -> None:
        """End it with kill -9."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


@pytest.fixture
async def start_worker(assignment: Assignment, databases: Databases) -> AsyncIterator[Any]:
    """Start workers on the test's database; all are ended with it."""
    ((name,),) = await assignment.rows("SELECT current_database()")
    started: list[Worker] = []

    async def start(*, health_port: int = 0) -> Worker:
        environment = {
            **os.environ,
            "ASSIGNMENT_ENVIRONMENT": "development",
            "ASSIGNMENT_DATABASE_URL": databases._named(name, "assignment").app_url,
            "ASSIGNMENT_HEALTH_PORT": str(health_port),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.assignment", "worker", env=environment
        )
        started.append(Worker(process))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.returncode is None:
            await worker.kill()


async def test_a_run_of_a_killed_worker_is_taken_again_and_finished(
    assignment: Assignment, start_worker: Any
):
    designs = Designs(assignment, Engines(), await organisation(assignment, count=2000))
    run = await designs.ask(starts=64, measures=HARD, time_budget_seconds=3600)

    async def progressed() -> bool:
        return (await designs.find(run["run_id"]))["stage"] is not None

    killed = await start_worker()
    await eventually(progressed, timeout=PATIENCE, every=0.02)
    assert (await designs.find(run["run_id"]))["state"] == "running"
    engines = killed.children
    assert engines
    await killed.kill()
    await eventually(lambda: not any(_runs(pid) for pid in engines))
    left = await designs.find(run["run_id"])
    assert left["state"] == "running"
    await start_worker()
    ended = await designs.ended(run["run_id"])
    assert ended["state"] in {"finished", "infeasible"}
    assert await assignment.rows("SELECT attempt, losses FROM design_runs") == [(2, 1)]
    units = await assignment.rows("SELECT count(*), count(DISTINCT account_id) FROM design_proposal_units")
    assert units == [(2000, 2000)]
    assert len(await assignment.events("assignment.design-run.finished.v1")) == 1


async def test_a_worker_that_is_told_to_stop_puts_its_run_back_and_takes_its_engines_along(
    assignment: Assignment, start_worker: Any
):
    designs = Designs(assignment, Engines(), await organisation(assignment, count=2000))
    run = await designs.ask(starts=64, measures=HARD, time_budget_seconds=3600)

    async def progressed() -> bool:
        return (await designs.find(run["run_id"]))["stage"] is not None

    worker = await start_worker()
    await eventually(progressed, timeout=PATIENCE, every=0.02)
    engines = worker.children
    worker.process.terminate()
    assert await asyncio.wait_for(worker.process.wait(), timeout=25) == 0
    await eventually(lambda: not any(_runs(pid) for pid in engines))
    assert (await designs.find(run["run_id"]))["state"] == "queued"
    assert await assignment.rows("SELECT status FROM pgqueuer") == [("queued",)]


@asynccontextmanager
async def _away(databases: Databases, name: str) -> AsyncIterator[None]:
    """Have nobody in a database for a while: who was there is thrown out, and who comes is turned away."""
    admin = await asyncpg.connect(databases._admin_url)
    try:
        await admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        await admin.close()


async def test_a_database_that_is_away_loses_no_worker_and_the_probe_tells_of_it(
    assignment: Assignment, databases: Databases, start_worker: Any, unused_tcp_port: int
):
    """Four outages during a long run would have given it up: four workers lost, of which none was."""
    designs = Designs(assignment, Engines(), await organisation(assignment, count=2000))
    run = await designs.ask(mode="greenfield", measures=UNREACHABLE, time_budget_seconds=3600)
    ((name,),) = await assignment.rows("SELECT current_database()")
    await start_worker(health_port=unused_tcp_port)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}", timeout=30) as probe:

        async def checks() -> dict[str, str] | None:
            try:
                return dict((await probe.get("/health/ready")).json()["checks"])
            except httpx.TransportError:
                return None

        async def told(line: str) -> bool:
            return line in (await probe.get("/metrics")).text.splitlines()

        async def progressed() -> bool:
            return (await designs.find(run["run_id"]))["stage"] is not None

        await eventually(progressed, timeout=PATIENCE, every=0.02)
        assert await checks() == {}
        await eventually(lambda: told('bailiwick_design_runs{state="running"} 1.0'))
        await assignment.engine.dispose()
        async with _away(databases, name):

            async def noticed() -> bool:
                return "design-queue" in (await checks() or {})

            await eventually(noticed)

        async def well() -> bool:
            return await checks() == {}

        await eventually(well)

        async def begun_anew() -> bool:
            runs = await assignment.rows("SELECT state, attempt, losses FROM design_runs")
            return runs == [("running", 2, 0)]

        # By itself, perhaps, before it could say that it was not lost: then it says so afterwards.
        await eventually(begun_anew, timeout=PATIENCE, every=0.1)


def _runs(pid: int) -> bool:
    try:
        # A zombie has ended: whoever inherited it has not looked yet.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
