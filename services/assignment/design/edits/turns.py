"""Has few edits scored at a time: one of all territories takes a core for a second, and some hundred megabytes."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from services.assignment.design.edits.refusals import EditsBusy
from shared.http.turns import Turns


def install_edit_turns(app: FastAPI) -> None:
    """Give an app its turns. They are waited for before a connection is taken: whoever waits holds nothing."""
    app.state.edit_turns = Turns(2, EditsBusy, "Other proposals are being edited")


def edit_turns(request: Request) -> Turns:
    """Return the turns of the process."""
    turns: Turns = request.app.state.edit_turns
    return turns


EditTurns = Annotated[Turns, Depends(edit_turns)]
