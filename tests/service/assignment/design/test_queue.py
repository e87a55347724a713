"""The queue of design runs: its tables are the library's own, a job is whose worker has it, and no run is without one."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from prometheus_client import REGISTRY

from services.assignment.design.jobs import ENTRYPOINT, again, queries_on, work_off
from services.assignment.design.measuring import measure, measure_design_runs
from services.assignment.design.mending import mend_design_runs
from services.assignment.design.own_process import Engines
from services.assignment.design.queue_session import QueueSession
from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.commands.put_back_run import PutBackRun, put_back_run
from services.assignment.design.runs.commands.take_run import TakeRun, take_run
from services.assignment.design.runs.run import RunState
from services.assignment.design.worker import is_away
from services.assignment.worker import LOOPS
from shared.db.driver import driver_of
from shared.testing.waiting import PATIENCE_SECONDS, eventually
from tests.conftest import NewDatabase
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import Designs, organisation

Ending = Callable[[], Exception | None]


@pytest.fixture
async def designs(assignment: Assignment) -> Designs:
    """A draft to design; nobody loads an engine here."""
    return Designs(assignment, Engines(), await organisation(assignment))


async def test_the_migration_makes_what_the_library_would_install(service_database: NewDatabase):
    """An upgrade of pgqueuer that wants other tables is seen here, before a worker refuses to start on them."""
    database = await service_database("assignment")
    connection = await asyncpg.connect(database.owner_url)
    try:
        plan = await queries_on(connection).plan_upgrade()
    finally:
        await connection.close()
    assert (list(plan.statements), list(plan.notes)) == ([], [])


async def _overtake(designs: Designs) -> UUID:
    """Take the job from whoever has it, as another worker does when the lease has run out; return who has it now."""
    other = uuid4()
    async with designs.assignment.engine.connect() as connection:
        (job,) = await queries_on(await driver_of(connection)).dequeue(
            batch_size=1,
            entrypoints={QueueEntrypoint(ENTRYPOINT): EntrypointExecutionParameter(concurrency_limit=0)},
            queue_manager_id=QueueManagerId(other),
            global_concurrency_limit=None,
            heartbeat_timeout=timedelta(0),
        )
    assert job.queue_manager_id == other
    return other


async def _work_off_once(designs: Designs, ending: Ending, *, overtaken: bool) -> UUID | None:
    """Have a worker take the job and end it in some way; return who overtook it."""
    stopping, others = asyncio.Event(), list[UUID]()

    async def work(_: UUID) -> None:
        stopping.set()
        if overtaken:
            others.append(await _overtake(designs))
        if (error := ending()) is not None:
            raise error

    await work_off(designs.assignment.engine, stopping, work)
    return others[0] if overtaken else None


ENDINGS: list[tuple[Ending, list[tuple[str]]]] = [
    (lambda: None, []),
    (lambda: again("the worker stops"), [("queued",)]),
    (lambda: RuntimeError("a fault"), [("failed",)]),
]


@pytest.mark.parametrize(("ending", "_left"), ENDINGS)
async def test_an_overtaken_worker_leaves_the_job_to_the_one_that_has_it(
    designs: Designs, ending: Ending, _left: object
):
    """One that stalls beyond its lease comes back: what it says in the end is not about its job any more."""
    await designs.ask()
    other = await _work_off_once(designs, ending, overtaken=True)
    assert await designs.assignment.rows("SELECT status, queue_manager_id FROM pgqueuer") == [
        ("picked", other)
    ]
    assert await designs.assignment.rows("SELECT status FROM pgqueuer_log ORDER BY id") == [
        ("queued",),
        ("picked",),
        ("picked",),
    ]


@pytest.mark.parametrize(("ending", "left"), ENDINGS)
async def test_a_worker_ends_puts_back_or_holds_the_job_that_it_has(
    designs: Designs, ending: Ending, left: list[tuple[str]]
):
    await designs.ask()
    await _work_off_once(designs, ending, overtaken=False)
    assert await designs.assignment.rows("SELECT status FROM pgqueuer") == left


async def test_a_worker_that_loses_its_session_ends_its_work_to_begin_anew(designs: Designs):
    """Deaf as it is, it would take nothing until the run under way ends, which others take from it meanwhile."""
    await designs.ask()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(_: UUID) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    session = QueueSession()
    assert await session.check() is not None
    working = asyncio.create_task(work_off(designs.assignment.engine, asyncio.Event(), work, session=session))
    await asyncio.wait_for(begun.wait(), timeout=PATIENCE_SECONDS)
    assert await session.check() is None
    await designs.assignment.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND (query LIKE '%pgqueuer%' OR query LIKE '%pg_notify%')"
    )
    await asyncio.wait({working}, timeout=PATIENCE_SECONDS)
    assert working.done()
    error = working.exception()
    assert error is None or is_away(error)
    assert ended.is_set()
    assert await session.check() is not None


async def _mend(designs: Designs, *, until: Callable[[], object]) -> None:
    stopping = asyncio.Event()
    mending = asyncio.create_task(
        mend_design_runs(designs.transact, stopping, every=timedelta(milliseconds=20))
    )
    try:
        await eventually(until)
    finally:
        stopping.set()
        await mending


async def test_runs_whose_jobs_are_gone_are_queued_anew_and_cancelled_ones_ended(designs: Designs):
    """Nothing else would ever end them: they are neither taken nor, while under way, cancelled or deleted."""
    assert mend_design_runs in LOOPS
    waiting, begun, cancelled, told, ended = [UUID((await designs.ask())["run_id"]) for _ in range(5)]
    for run_id in (begun, cancelled):
        await designs.transact(take_run, TakeRun(run_id))
    for run_id in (cancelled, ended):
        await designs.assignment.post(f"/v1/design-runs/{run_id}/cancellations")
    designs.assignment.clock.advance(timedelta(minutes=2))
    await designs.transact(take_run, TakeRun(told))
    await designs.assignment.execute("DELETE FROM pgqueuer")

    async def has_ended() -> bool:
        return (await designs.find(str(cancelled)))["state"] == "cancelled"

    await _mend(designs, until=has_ended)
    jobs = await designs.assignment.rows("SELECT payload, status FROM pgqueuer")
    # Of the one that was told of lately somebody takes care yet.
    assert sorted(jobs) == sorted([(waiting.bytes, "queued"), (begun.bytes, "queued")])
    events = await designs.assignment.events("assignment.design-run.finished.v1")
    assert sorted(event["design_run_id"] for event in events) == sorted([str(ended), str(cancelled)])


async def test_figures_tell_what_waits_what_goes_on_and_for_how_long(designs: Designs):
    assert measure_design_runs in LOOPS
    transact, clock = designs.transact, designs.assignment.clock

    async def told() -> list[float | None]:
        await measure(transact)
        return [
            REGISTRY.get_sample_value("bailiwick_design_runs", {"state": "queued"}),
            REGISTRY.get_sample_value("bailiwick_design_runs", {"state": "running"}),
            REGISTRY.get_sample_value("bailiwick_design_queued_oldest_seconds"),
        ]

    assert await told() == [0, 0, 0]
    taken = UUID((await designs.ask())["run_id"])
    clock.advance(timedelta(seconds=30))
    await designs.ask()
    clock.advance(timedelta(seconds=12))
    assert await told() == [2, 0, 42]
    run = await transact(take_run, TakeRun(taken))
    assert await told() == [1, 1, 12]
    clock.advance(timedelta(seconds=5))
    # One that was put back has waited since then.
    await transact(put_back_run, PutBackRun(taken, run.attempt))
    clock.advance(timedelta(seconds=3))
    assert await told() == [2, 0, 20]
    await transact(take_run, TakeRun(taken))
    await transact(end_run, EndRun(taken, 2, RunState.CANCELLED))
    assert await told() == [1, 0, 20]


async def test_a_job_that_is_held_waits_for_an_operator_but_not_one_of_a_cancelled_run(designs: Designs):
    held, cancelled = [UUID((await designs.ask())["run_id"]) for _ in range(2)]
    await designs.transact(take_run, TakeRun(cancelled))
    await designs.assignment.post(f"/v1/design-runs/{cancelled}/cancellations")
    designs.assignment.clock.advance(timedelta(minutes=2))
    await designs.assignment.execute("UPDATE pgqueuer SET status = 'failed'")

    async def has_ended() -> bool:
        return (await designs.find(str(cancelled)))["state"] == "cancelled"

    await _mend(designs, until=has_ended)
    assert (await designs.find(str(held)))["state"] == "queued"
    assert await designs.assignment.rows("SELECT status, count(*) FROM pgqueuer GROUP BY 1") == [
        ("failed", 2)
    ]
