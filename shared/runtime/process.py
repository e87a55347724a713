"""The life of one process: run until SIGTERM or SIGINT, then leave within the grace period whatever hangs."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable

from shared.runtime.logging import get_logger

GRACE_SECONDS = 25.0

# How many more containers are made than freed before the youngest are looked through for cycles. Python's own 700 to
# 2,000 suit scripts: a batch of a thousand facts is fifty thousand containers that all live until it is done, and
# looking through them again and again took a third of the time that an api spent on it.
COLLECT_AFTER = 50_000

log = get_logger(__name__)


def collect_seldom() -> None:
    """Look for cyclic garbage less often, and never again through what was made until now: modules, models, routes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


async def run_until_stopped(
    main: Callable[[asyncio.Event], Awaitable[None]], *, grace_seconds: float = GRACE_SECONDS
) -> None:
    """Run `main(stopping)`; a signal sets `stopping`, and the process ends hard when the grace is spent.

    The hard end is needed: an idempotent aiokafka producer neither times out nor stops while its brokers
    are away (aiokafka#1101). Everything that matters is in Postgres by then.
    """
    collect_seldom()
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
