"""Bounds how many diffs are computed at once; whoever comes next waits for a turn."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request

AT_ONCE = 2


def install_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.diff_turns = asyncio.Semaphore(AT_ONCE)


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Hold one of the turns while the request is worked on."""
    # A diff keeps one thread busy at a time, so two of them leave the rest of the default pool, which has five
    # threads on the smallest machine, to activations: these need no threads of their own.
    async with request.app.state.diff_turns:
        yield


# Before the snapshot among a route's parameters: whoever waits must not hold a connection, for activations
# take theirs from the same pool, nor look at a picture that grows old.
Turn = Annotated[None, Depends(take_turn, scope="function")]
