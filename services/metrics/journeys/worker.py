"""The worker's loop: trace the accounts whose leads or sales changed."""

import asyncio

from services.metrics.journeys.commands import ACCOUNTS_AT_ONCE, trace_journeys
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def work(transact: Transactor, stopping: asyncio.Event) -> None:
    """Trace until told to stop."""

    async def trace() -> bool:
        return await transact(trace_journeys, ACCOUNTS_AT_ONCE) == ACCOUNTS_AT_ONCE

    await run_rounds(trace, stopping)
