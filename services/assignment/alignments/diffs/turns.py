"""Bounds how many diffs are computed at once; whoever comes next waits for a turn, but not forever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.alignments.diffs.refusals import DiffsBusy

# A diff keeps one thread busy at a time, so two of them leave the rest of the default pool, which has five
# threads on the smallest machine, to activations: these need no threads of their own.
AT_ONCE = 2
PATIENCE_SECONDS = 20.0


def install_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.diff_turns = asyncio.Semaphore(AT_ONCE)


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Hold one of the turns while the request is worked on. Raises DiffsBusy."""
    turns: asyncio.Semaphore = request.app.state.diff_turns
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise DiffsBusy(
            f"{AT_ONCE} diffs are being computed and others wait; nothing is wrong with yours. Try again."
        ) from None
    try:
        yield
    finally:
        turns.release()


# Before the snapshot among a route's parameters: whoever waits must not hold a connection, for activations
# take theirs from the same pool, nor look at a picture that grows old.
Turn = Annotated[None, Depends(take_turn, scope="function")]
