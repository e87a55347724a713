"""The queue of design runs: pgqueuer on our own schema. Its tables come with our migrations, never from here."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueuer import AsyncpgDriver, Job, QueueManager, RetryRequested
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JOB_STATUS
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncEngine

from services.assignment.design.commands import LOG, RETRY
from services.assignment.design.queue_session import QueueSession
from shared.db.driver import driver_of
from shared.runtime.stopping import unless_told

# The names that the migration gave, whatever PGQUEUER_... in the environment says: the session's search path is ours.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel="ch_pgqueuer",
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)
ENTRYPOINT = "design_run"
# A worker that is killed is missed after so long, and its runs are taken by another.
LEASE = timedelta(seconds=15)
# The bell may miss a ring, and nobody rings for a lease that ran out.
_LOOK = timedelta(seconds=5)
# A short run need not wait for a long one; each has an engine of its own.
AT_ONCE = 2

Work = Callable[[UUID], Coroutine[Any, Any, None]]
"""Does one run to its end. Raises RetryRequested when it is to be taken again."""


class OwnedJobs(Queries):
    """The queue's commands, of which those that end or retry a job count only from the worker that has it.

    A worker that stalls beyond its lease is overtaken. The library knows a job by its id alone, so what the overtaken
    one says in the end would take the job from under the worker that goes on with it.
    """

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Take jobs out that have ended, or hold those that failed; nothing happens to those that another has."""
        await self.driver.execute(
            LOG,
            [job.id for job, _, _ in job_status],
            [job.queue_manager_id for job, _, _ in job_status],
            [status for _, status, _ in job_status],
            [None if trace is None else trace.model_dump_json() for _, _, trace in job_status],
        )

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Put a job back, to be taken after a delay; nothing happens to one that another has."""
        trace = None if traceback_record is None else traceback_record.model_dump_json()
        await self.driver.execute(RETRY, job.id, job.queue_manager_id, delay, trace)


def queries_on(driver: Any) -> Queries:
    """Return the queue's commands on a session of the driver's own."""
    return OwnedJobs(
        AsyncpgDriver(driver),
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


async def work_off(
    engine: AsyncEngine,
    stopping: asyncio.Event,
    work: Work,
    *,
    lease: timedelta = LEASE,
    session: QueueSession | None = None,
) -> None:
    """Take jobs until told to stop, on a session of its own; work under way has ended when this returns.

    Without its session it returns early, or raises what the driver says of that; `session` is told of it.
    """
    gone = asyncio.Event()
    async with engine.connect() as connection:
        driver = await driver_of(connection)
        driver.add_termination_listener(lambda _: gone.set())
        manager = QueueManager(queries_on(driver), channel=SETTINGS.channel)

        # A job that could not even be begun is held: `pgq failed` shows it, `pgq requeue` has it tried again.
        @manager.entrypoint(ENTRYPOINT, on_failure="hold")
        async def take(job: Job) -> None:
            # Without a session nobody hears that the work goes on: to end it now is to have it begun anew the sooner.
            if job.payload is not None and not await unless_told(gone, work(UUID(bytes=job.payload))):
                raise again("the queue's session is gone")

        told = [asyncio.create_task(_shut_down(manager, event)) for event in (stopping, gone)]
        try:
            with (session or QueueSession()).held(gone):
                await manager.run(
                    dequeue_timeout=min(_LOOK, lease / 2),
                    batch_size=1,
                    max_concurrent_tasks=AT_ONCE,
                    # Without its bell, behind a pooler for instance, it looks by itself; a lost session is heard of.
                    shutdown_on_listener_failure=False,
                    heartbeat_timeout=lease,
                )
        finally:
            for one in told:
                one.cancel()
            # It listens: nobody else may get it from the pool.
            await connection.invalidate()


def again(reason: str, *, after: timedelta = timedelta(0)) -> RetryRequested:
    """Return what a run raises to be taken again, by whichever worker comes first."""
    return RetryRequested(delay=after, reason=reason)


async def _shut_down(manager: QueueManager, event: asyncio.Event) -> None:
    await event.wait()
    manager.shutdown.set()
