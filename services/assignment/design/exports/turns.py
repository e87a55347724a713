"""Has one map drawn at a time: it takes a core for seconds, and some hundred megabytes."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.exports.refusals import MapsBusy
from shared.http.turns import Turns


def install_map_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.map_turns = Turns(1, MapsBusy, "A map is being drawn")


def map_turns(request: Request) -> Turns:
    """Return the turns of the process."""
    turns: Turns = request.app.state.map_turns
    return turns


MapTurns = Annotated[Turns, Depends(map_turns)]
