"""Has the shapes of one document read at a time: they take hundreds of megabytes while they are."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.shapes.refusals import ShapesBusy
from shared.http.turns import Turns


def install_shape_turns(app: FastAPI) -> None:
    """Give an app its turns."""
    app.state.shape_turns = Turns(1, ShapesBusy, "Shapes are being read")


def shape_turns(request: Request) -> Turns:
    """Return the turns of the process."""
    turns: Turns = request.app.state.shape_turns
    return turns


ShapeTurns = Annotated[Turns, Depends(shape_turns)]
