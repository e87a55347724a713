"""The worker's loop that sees to it that no run waits or goes on for ever because its job is gone."""

import asyncio
from datetime import timedelta

from services.assignment.design.jobs import LEASE
from services.assignment.design.runs.commands.mend_runs import MendRuns, mend_runs
from services.assignment.design.worker import is_away
from shared.db.transact import Transactor
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause, unless_told

# A stage of the engine may tell nothing for so long although all is well.
_QUIET = 4 * LEASE

log = get_logger(__name__)


async def mend_design_runs(
    transact: Transactor, stopping: asyncio.Event, *, every: timedelta = LEASE
) -> None:
    """Look for runs without a job until told to stop: an operator cleared the queue, or it was restored without them."""
    while not stopping.is_set():
        await unless_told(stopping, _mend(transact))
        await pause(stopping, every.total_seconds())


async def _mend(transact: Transactor) -> None:
    try:
        mended = await transact(mend_runs, MendRuns(_QUIET))
    except Exception as error:
        # A database that is away comes back; anything else is a fault to stop for.
        if not is_away(error):
            raise
        log.warning("database away, trying again", error=type(error).__name__)
        return
    if mended:
        log.warning("design runs had no job", run_ids=[str(run_id) for run_id in mended])
