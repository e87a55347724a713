"""The turns of sizings: those who wait for one keep nobody else waiting."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.sizing.refusals import SizingsBusy
from shared.http.turns import Turns

# Each reads all accounts of a plan and keeps a thread busy for a second.
AT_ONCE = 2


def install_sizing_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.sizing_turns = Turns(AT_ONCE, SizingsBusy, f"{AT_ONCE} sizings are being worked out")


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Hold a turn while the request is worked on. Raises SizingsBusy."""
    turns: Turns = request.app.state.sizing_turns
    async with turns.take():
        yield


# Before the snapshot among a route's parameters: whoever waits holds no connection.
SizingTurn = Annotated[None, Depends(take_turn, scope="function")]
