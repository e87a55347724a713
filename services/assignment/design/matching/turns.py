"""The turns of matchings: those who wait for one keep nobody else waiting."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.matching.refusals import MatchingsBusy
from shared.http.turns import Turns

# As many territories as a tree may have take a core for a minute and a gigabyte.
AT_ONCE = 1


def install_matching_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.matching_turns = Turns(AT_ONCE, MatchingsBusy, "Reps are being matched")


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Hold a turn while the request is worked on. Raises MatchingsBusy."""
    turns: Turns = request.app.state.matching_turns
    async with turns.take():
        yield


# Before the snapshot among a route's parameters: whoever waits holds no connection.
MatchingTurn = Annotated[None, Depends(take_turn, scope="function")]
