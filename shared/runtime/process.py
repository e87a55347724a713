"""The life of one process: run until SIGTERM or SIGINT, then leave within the grace period whatever hangs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from shared.runtime.logging import get_logger

GRACE_SECONDS = 25.0

log = get_logger(__name__)


async def run_until_stopped(
    main: Callable[[asyncio.Event], Awaitable[None]], *, grace_seconds: float = GRACE_SECONDS
) -> None:
    """Run `main(stopping)`; a signal sets `stopping`, and the process ends hard when the grace is spent.

    The hard end is needed: an idempotent aiokafka producer neither times out nor stops while its brokers
    are away (aiokafka#1101). Everything that matters is in Postgres by then.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            loop.call_later(grace_seconds, _leave_now)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    await main(stopping)


def _leave_now() -> None:
    log.warning("grace period spent, leaving")
    os._exit(0)
