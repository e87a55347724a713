"""Has one map drawn at a time; whoever comes next waits for a turn, but not forever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.exports.refusals import MapsBusy

# A map takes a core for seconds and some hundred megabytes.
AT_ONCE = 1
PATIENCE_SECONDS = 20.0


class Turns:
    """The turns of a process."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a turn. Raises MapsBusy."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise MapsBusy("A map is being drawn; nothing is wrong with yours. Try again.") from None
        try:
            yield
        finally:
            self._free.release()


def install_map_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.map_turns = Turns()


def map_turns(request: Request) -> Turns:
    """Return the turns of the process."""
    turns: Turns = request.app.state.map_turns
    return turns


MapTurns = Annotated[Turns, Depends(map_turns)]
