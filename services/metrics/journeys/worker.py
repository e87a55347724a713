"""The worker's loop: trace the accounts whose leads or sales changed."""

import asyncio

from services.metrics.journeys.commands import ACCOUNTS_AT_ONCE, trace_journeys
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def work(transact: Transactor, stopping: asyncio.Event) -> None:
    """Trace until told to stop."""
    while not stopping.is_set():
        try:
            if await transact(trace_journeys, ACCOUNTS_AT_ONCE) == ACCOUNTS_AT_ONCE:
                continue
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)
