"""Starting a client: retried with a fresh object each time, since a half-started one is of no use."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError

from shared.runtime.logging import get_logger

log = get_logger(__name__)

# A stopping relay has by then waited for acknowledgements, 10 of the 25 s that a process has to leave.
STOP_SECONDS = 5.0
_LONGEST_PAUSE = 5.0


async def start_client(make: Callable[[], Any]) -> Any:
    """Make clients until one starts (aiokafka#759: bootstrap is tried once; #1010: no second start)."""
    pause = 0.2
    while True:
        client = make()
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            log.warning("kafka not reachable", error=type(error).__name__, detail=str(error))
            await stop_client(client)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
            pause = min(pause * 2, _LONGEST_PAUSE)
        except asyncio.CancelledError:
            await stop_client(client)
            raise
        else:
            return client


async def stop_client(client: Any) -> bool:
    """Stop a client within a bound; an idempotent producer without brokers never stops by itself."""
    try:
        await asyncio.wait_for(client.stop(), STOP_SECONDS)
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("kafka client did not stop", error=type(error).__name__)
        return False
    return True
