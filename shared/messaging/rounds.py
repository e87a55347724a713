"""The loop of a worker: a round of work after another, with a pause when there is nothing more to do."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# What workers do is due in days, or read by people: this is how late it may be.
PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def run_rounds(work: Callable[[], Awaitable[bool]], stopping: asyncio.Event) -> None:
    """Work until told to stop, at once again when a round tells that there is more.

    A database that is away or busy comes back. Any other error is raised: a fault to end the process for.
    """
    while not stopping.is_set():
        try:
            if await work():
                continue
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("round put off", error=type(error).__name__)
        await pause(stopping, PAUSE_SECONDS)
