"""Bounds how much of a kind is worked on at once; whoever comes next waits for a turn, but not forever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.runtime.refusals import Refusal

PATIENCE_SECONDS = 20.0


class Turns:
    """The turns of a process at one kind of work."""

    def __init__(self, at_once: int, busy: type[Refusal], under_way: str) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._busy = busy
        self._under_way = under_way

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a turn. Raises the refusal of this kind of work, which tells what is under way."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy(f"{self._under_way}; nothing is wrong with yours. Try again.") from None
        try:
            yield
        finally:
            self._free.release()
