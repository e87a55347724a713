"""The worker's loop that makes the potential estimates that were asked for."""

import asyncio

from services.assignment.potentials.commands.make_estimate import (
    LEASE,
    FailEstimate,
    KeepEstimate,
    fail_estimate,
    keep_estimate,
    take_estimate,
)
from services.assignment.potentials.own_process import TrainingEnded, train
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause, unless_told

_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def make_estimates(transact: Transactor, stopping: asyncio.Event) -> None:
    """Make estimates until told to stop; one under way is dropped then, and taken again later."""
    while not stopping.is_set():
        await unless_told(stopping, _make_waiting(transact))
        await pause(stopping, _PAUSE_SECONDS)


async def _make_waiting(transact: Transactor) -> None:
    try:
        while await make_next_estimate(transact):
            pass
    except Exception as error:
        # A database that is away comes back; anything else is a fault to stop for.
        if not is_transient(error):
            raise
        log.warning("database away, trying again", error=type(error).__name__)


async def make_next_estimate(transact: Transactor) -> bool:
    """Make the oldest estimate that waits; tell whether there was one."""
    taken = await transact(take_estimate, LEASE)
    if taken is None:
        return False
    if not taken.enough:
        await transact(fail_estimate, FailEstimate(taken.estimate_id, "too-few-known-accounts"))
        return True
    try:
        potentials = await train(taken.companies, seed=taken.seed)
    except TrainingEnded:
        await transact(fail_estimate, FailEstimate(taken.estimate_id, "training-ended"))
        log.exception("training ended without an answer", estimate_id=str(taken.estimate_id))
        return True
    kept = await transact(keep_estimate, KeepEstimate(taken, potentials))
    trial = potentials.trial
    log.info(
        "potentials estimated",
        estimate_id=str(taken.estimate_id),
        kept=kept,
        method=trial.method,
        improvement=trial.improvement,
    )
    return True
