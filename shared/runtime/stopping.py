"""Waiting, in a process that may be told to stop meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait for some time, and no longer once the process is told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


async def unless_told(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do some work to its end; drop it and return False if the process is told to stop before that."""
    working, told = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return True
        return False
    finally:
        told.cancel()
        if not working.done():
            working.cancel()
            # What is cancelled still tidies up behind itself.
            await asyncio.wait({working})
