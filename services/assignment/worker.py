"""What assignment's worker does beside each other: every loop returns soon after `stopping` is set."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from services.assignment.alignments.releases.worker import watch_pins
from services.assignment.design.measuring import measure_design_runs
from services.assignment.design.mending import mend_design_runs
from services.assignment.design.queue_session import QueueSession
from services.assignment.design.worker import design_territories
from services.assignment.potentials.worker import make_estimates
from services.assignment.reps.worker import tell_of_reps
from shared.db.transact import Transactor

Loop = Callable[[Transactor, asyncio.Event], Awaitable[None]]

LOOPS: tuple[Loop, ...] = (watch_pins, make_estimates, tell_of_reps, mend_design_runs, measure_design_runs)


async def work(transact: Transactor, stopping: asyncio.Event, queue: QueueSession) -> None:
    """Run every loop until told to stop; one that fails ends the process, which is then started anew.

    `queue` tells whether design runs are heard of.
    """
    async with asyncio.TaskGroup() as group:
        loops: tuple[Loop, ...] = (*LOOPS, partial(design_territories, session=queue))
        for loop in loops:
            group.create_task(_run(loop, transact, stopping))


async def _run(loop: Loop, transact: Transactor, stopping: asyncio.Event) -> None:
    await loop(transact, stopping)
