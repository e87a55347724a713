"""Has few edits scored at a time: one of all territories takes a core for a second, and some hundred megabytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.edits.refusals import EditsBusy

AT_ONCE = 2
PATIENCE_SECONDS = 20.0


class Turns:
    """The turns of a process. They are waited for before a connection is taken: whoever waits holds nothing."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a turn. Raises EditsBusy."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise EditsBusy(
                "Other proposals are being edited; nothing is wrong with yours. Try again."
            ) from None
        try:
            yield
        finally:
            self._free.release()


def install_edit_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.edit_turns = Turns()


def edit_turns(request: Request) -> Turns:
    """Return the turns of the process."""
    turns: Turns = request.app.state.edit_turns
    return turns


EditTurns = Annotated[Turns, Depends(edit_turns)]
