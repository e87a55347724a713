"""The worker's loop that does design runs: takes them from the queue, has them designed, keeps what comes of it."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from asyncpg import InterfaceError, PostgresConnectionError

from services.assignment.design.answer import Answer
from services.assignment.design.inputs.limits import (
    Forbidden,
    read_families,
    read_forbidden,
    read_roads,
    what_cannot_be,
    with_limits,
    with_roads,
)
from services.assignment.design.inputs.queries import read_material
from services.assignment.design.inputs.question import Material
from services.assignment.design.jobs import LEASE, again, work_off
from services.assignment.design.own_process import Engine, EngineEnded, Engines, Failed, fault_of_ours
from services.assignment.design.proposals.commands.keep_proposal import KeepProposal, keep_proposal
from services.assignment.design.queue_session import QueueSession
from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.commands.put_back_run import PutBackRun, put_back_run
from services.assignment.design.runs.commands.report_progress import ReportProgress, report_progress
from services.assignment.design.runs.commands.take_run import TakeRun, take_run
from services.assignment.design.runs.queries import DesignRun, goes_on, list_run_territories
from services.assignment.design.runs.run import Failure, Progress, RunState, RunTerritory
from services.assignment.plans.plan import LivePlan
from services.assignment.plans.queries import read_live_plan
from shared.db.engine import begin_snapshot
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause, unless_told

_PAUSE_SECONDS = 1.0
# How long it may take until a run notices that it was cancelled.
_LOOK_SECONDS = 0.5
# Beyond its budget the engine ends a step; one that takes longer than this is ended.
_GRACE_SECONDS = 60.0

R = TypeVar("R")

log = get_logger(__name__)


class Dropped(Exception):
    """Nobody wants the run any more: it was cancelled, deleted, or another worker has it."""


async def design_territories(
    transact: Transactor,
    stopping: asyncio.Event,
    *,
    lease: timedelta = LEASE,
    session: QueueSession | None = None,
) -> None:
    """Do runs until told to stop; one under way is put back then, for another worker."""
    engines = Engines()
    # The first run is not to wait for the compiler.
    engines.stand_by()
    runs = Runs(transact, stopping, engines)
    try:
        while not stopping.is_set():
            try:
                await work_off(transact.engine, stopping, runs.work, lease=lease, session=session)
            except Exception as error:
                # A database that is away comes back; anything else is a fault to stop for.
                if not is_away(error):
                    raise
                log.warning("queue away, trying again", error=type(error).__name__)
            await pause(stopping, _PAUSE_SECONDS)
    finally:
        await runs.settle()
        await engines.stop()


class Runs:
    """Does runs, each to its end or until it is dropped."""

    def __init__(self, transact: Transactor, stopping: asyncio.Event, engines: Engines) -> None:
        self._transact = transact
        self._stopping = stopping
        self._engines = engines
        self._owed: set[asyncio.Task[None]] = set()

    async def settle(self) -> None:
        """Have what is still owed to the database tried once more, and then given up; a worker with a fault just ends."""
        if not self._stopping.is_set():
            for one in self._owed:
                one.cancel()
        await asyncio.gather(*self._owed, return_exceptions=True)

    async def work(self, run_id: UUID) -> None:
        """Do a run. Raises RetryRequested for one to be taken again."""
        try:
            done = await unless_told(self._stopping, self._work(run_id))
        except Exception as error:
            if is_away(error):
                raise again("the database is away", after=timedelta(seconds=_PAUSE_SECONDS)) from error
            raise
        if not done:
            raise again("the worker stops")

    async def _work(self, run_id: UUID) -> None:
        run = await self._transact(take_run, TakeRun(run_id))
        if run is None:
            return
        log.info("design run taken", run_id=str(run_id), attempt=run.attempt)
        try:
            ended = await self._design(run)
        except Dropped:
            ended = await self._end(run, RunState.CANCELLED)
        except asyncio.CancelledError:
            # The worker stops, or has lost its queue: the next one begins anew, and nobody was lost.
            await self._put_back(run)
            raise
        except Exception as error:
            if is_away(error):
                await self._put_back(run)
                raise
            # The job is gone once this returns: a run that nobody ends would seem to go on for ever.
            log.exception("design run failed", run_id=str(run_id))
            ended = await self._end(run, RunState.FAILED, Failed(Failure.ENGINE_FAILED, fault_of_ours(error)))
        log.info("design run done", run_id=str(run_id), ended=ended)

    async def _put_back(self, run: DesignRun) -> None:
        """Put a run back, or as soon as the database is there again: it would take this worker for lost otherwise."""
        if not await self._try_to_put_back(run):
            owed = asyncio.create_task(self._keep_trying_to_put_back(run))
            self._owed.add(owed)
            owed.add_done_callback(self._owed.discard)

    async def _keep_trying_to_put_back(self, run: DesignRun) -> None:
        done = False
        while not done and not self._stopping.is_set():
            await pause(self._stopping, _PAUSE_SECONDS)
            done = await self._try_to_put_back(run)

    async def _try_to_put_back(self, run: DesignRun) -> bool:
        try:
            await self._transact(put_back_run, PutBackRun(run.run_id, run.attempt))
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database away, run not put back", run_id=str(run.run_id), error=type(error).__name__)
            return False
        return True

    async def _design(self, run: DesignRun) -> bool:
        territories, material, forbidden, live = await self._unless_dropped(run, self._read(run))
        failed = what_is_missing(material, run)
        if failed is None and (broken := what_cannot_be(material, territories, forbidden)):
            failed = Failed(*broken)
        if failed is not None:
            return await self._fail(run, failed)
        try:
            answer = await self._ask(run, material)
        except EngineEnded:
            detail = "The engine's process ended without an answer; for want of memory, perhaps."
            return await self._fail(run, Failed(Failure.ENGINE_ENDED, detail))
        if isinstance(answer, Failed):
            return await self._fail(run, answer)
        proposal = KeepProposal(run.run_id, run.attempt, tuple(territories), material, answer, live.sequence)
        if not await self._transact(keep_proposal, proposal):
            raise Dropped
        return True

    async def _read(self, run: DesignRun) -> tuple[list[RunTerritory], Material, Forbidden, LivePlan]:
        async with self._transact.engine.connect() as read:
            await begin_snapshot(read)
            territories = await list_run_territories(read, run.run_id)
            at = self._transact.clock.now()
            families = await read_families(read, run.run_id)
            forbidden, roads = await read_forbidden(read, run.run_id), await read_roads(read, run)
            material = await read_material(
                read,
                run.plan_id,
                run.scenario,
                territories,
                at=at,
                families=families,
                forbidden=forbidden,
                roads=roads,
            )
            material = await with_limits(read, run.run_id, material, territories)
            live = await read_live_plan(read)
        return territories, await with_roads(material, roads), forbidden, live

    async def _ask(self, run: DesignRun, material: Material) -> Answer | Failed:
        """Have an engine answer. Raises Dropped, EngineEnded."""
        engine = await self._unless_dropped(run, self._engines.take())
        try:
            return await self._listen(run, engine, material)
        finally:
            await asyncio.shield(engine.end())

    async def _listen(self, run: DesignRun, engine: Engine, material: Material) -> Answer | Failed:
        """Tell how far an engine is, until it answers or has had its time. Raises Dropped, EngineEnded."""
        await self._unless_dropped(run, engine.ask(material.question, seconds=run.time_budget_seconds))
        try:
            async with asyncio.timeout(run.time_budget_seconds + _GRACE_SECONDS):
                while isinstance(message := await self._unless_dropped(run, engine.hear()), Progress):
                    command = ReportProgress(run.run_id, run.attempt, message)
                    if not await self._transact(report_progress, command):
                        raise Dropped
                return message
        except TimeoutError:
            return Failed(
                Failure.TIME_BUDGET_SPENT, "time_budget_seconds: no plan was found in time; allow more."
            )

    async def _unless_dropped(self, run: DesignRun, work: Awaitable[R]) -> R:
        """Wait for something, and look meanwhile whether the run is to go on. Raises Dropped."""
        working = asyncio.ensure_future(work)
        try:
            while True:
                await asyncio.wait({working}, timeout=_LOOK_SECONDS)
                if working.done():
                    return await working
                async with self._transact.engine.connect() as read:
                    wanted = await goes_on(read, run.run_id, attempt=run.attempt)
                # What came meanwhile is not let fall: it may be an engine, which somebody has to end.
                if not wanted and not working.done():
                    raise Dropped
        finally:
            # Its thread waits until the engine ends, which is next.
            working.cancel()

    async def _fail(self, run: DesignRun, failed: Failed) -> bool:
        log.warning(
            "design run failed",
            run_id=str(run.run_id),
            failure=failed.failure,
            detail=failed.detail,
            trace=failed.trace,
        )
        return await self._end(run, RunState.FAILED, failed)

    async def _end(self, run: DesignRun, state: RunState, failed: Failed | None = None) -> bool:
        ended = EndRun(
            run.run_id,
            run.attempt,
            state,
            None if failed is None else failed.failure,
            None if failed is None else failed.detail,
        )
        return await self._transact(end_run, ended)


def what_is_missing(material: Material, run: DesignRun) -> Failed | None:
    """Tell what keeps a run from being begun at all."""
    question = material.question
    if not len(question.latitude):
        return Failed(
            Failure.NOTHING_TO_DESIGN,
            f"No account takes part: {len(material.left_out)} are left out, {material.elsewhere} belong elsewhere.",
        )
    totals = question.measures.sum(axis=0)
    for number, one in enumerate(run.scenario.measures):
        if not totals[number] > 0.0:
            return Failed(
                Failure.NOTHING_TO_BALANCE,
                f"measures/{number}: no account has any {one.measure} {one.currency or ''}".rstrip()
                + "; leave it out.",
            )
    if not question.move_value.sum() > 0.0:
        currency = run.scenario.disruption.currency
        return Failed(
            Failure.NOTHING_TO_BALANCE,
            f"disruption/counted: no account has any revenue {currency}; count accounts instead.",
        )
    if question.around and not (question.incumbents >= 0).any():
        detail = "mode: no account belongs to a leaf of the draft today; use greenfield."
        return Failed(Failure.NOTHING_TO_DESIGN, detail)
    if question.around and not question.changes:
        detail = (
            "mode: every leaf has accounts today and every account its leaf; give the draft a leaf more, or take one away, "
            "and ask again, or use realign."
        )
        return Failed(Failure.NOTHING_TO_DESIGN, detail)
    return None


def is_away(error: BaseException) -> bool:
    """Tell whether the database is away: it comes back, and what was begun is begun again."""
    # The queue speaks to the driver itself, whose complaints nobody has wrapped.
    return isinstance(error, InterfaceError | PostgresConnectionError) or is_transient(error)
