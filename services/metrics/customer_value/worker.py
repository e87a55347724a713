"""The worker's second loop: make the fits that were asked for, off the event loop."""

import asyncio

from services.metrics.customer_value.commands.make_fit import LEASE, KeepFit, keep_fit, take_fit
from services.metrics.customer_value.valuation import value_customers
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds
from shared.runtime.logging import get_logger

log = get_logger(__name__)


async def make_fits(transact: Transactor, stopping: asyncio.Event) -> None:
    """Make fits until told to stop."""
    await run_rounds(lambda: make_next_fit(transact), stopping)


async def make_next_fit(transact: Transactor) -> bool:
    """Make the oldest fit that waits; tell whether there was one."""
    taken = await transact(take_fit, LEASE)
    if taken is None:
        return False
    valuation = await asyncio.to_thread(value_customers, taken.histories, taken.terms)
    kept = await transact(keep_fit, KeepFit(taken.fit_id, valuation))
    fit = valuation.fit
    log.info("fit made", fit_id=str(taken.fit_id), kept=kept, level=fit.level, reason=fit.reason)
    return True
