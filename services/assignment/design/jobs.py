"""The queue of design runs: pgqueuer on our own schema. Its tables come with our migrations, never from here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from pgqueuer import AsyncpgDriver, Job, QueueManager, RetryRequested
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.driver import driver_of

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

Work = Callable[[UUID], Awaitable[None]]
"""Does one run to its end. Raises RetryRequested when it is to be taken again."""


def queries_on(driver: Any) -> Queries:
    """Return the queue's commands on a session of the driver's own."""
    return Queries(
        AsyncpgDriver(driver),
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


async def work_off(
    engine: AsyncEngine, stopping: asyncio.Event, work: Work, *, lease: timedelta = LEASE
) -> None:
    """Take jobs until told to stop, on a session of its own; work under way has ended when this returns."""
    async with engine.connect() as connection:
        manager = QueueManager(queries_on(await driver_of(connection)), channel=SETTINGS.channel)

        # A job that could not even be begun is held: `pgq failed` shows it, `pgq requeue` has it tried again.
        @manager.entrypoint(ENTRYPOINT, on_failure="hold")
        async def take(job: Job) -> None:
            if job.payload is not None:
                await work(UUID(bytes=job.payload))

        told = asyncio.create_task(_shut_down(manager, stopping))
        try:
            await manager.run(
                dequeue_timeout=min(_LOOK, lease / 2),
                batch_size=1,
                max_concurrent_tasks=AT_ONCE,
                # Without its bell, behind a pooler for instance, it looks by itself; a session that is lost it notices.
                shutdown_on_listener_failure=False,
                heartbeat_timeout=lease,
            )
        finally:
            told.cancel()
            # It listens: nobody else may get it from the pool.
            await connection.invalidate()


def again(reason: str, *, after: timedelta = timedelta(0)) -> RetryRequested:
    """Return what a run raises to be taken again, by whichever worker comes first."""
    return RetryRequested(delay=after, reason=reason)


async def _shut_down(manager: QueueManager, stopping: asyncio.Event) -> None:
    await stopping.wait()
    manager.shutdown.set()
