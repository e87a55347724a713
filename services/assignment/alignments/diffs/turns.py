"""Bounds how many diffs are computed at once; whoever comes next waits for a turn, but not forever."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.alignments.diffs.refusals import DiffsBusy
from shared.http.turns import Turns

# A diff keeps one thread busy at a time, so two of them leave the rest of the default pool, which has five
# threads on the smallest machine, to activations: these need no threads of their own.
AT_ONCE = 2


def install_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.diff_turns = Turns(AT_ONCE, DiffsBusy, f"{AT_ONCE} diffs are being computed and others wait")


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Hold one of the turns while the request is worked on. Raises DiffsBusy."""
    turns: Turns = request.app.state.diff_turns
    async with turns.take():
        yield


# Before the snapshot among a route's parameters: whoever waits must not hold a connection, for activations
# take theirs from the same pool, nor look at a picture that grows old.
Turn = Annotated[None, Depends(take_turn, scope="function")]
