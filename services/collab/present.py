"""The present moment for reads: of the service's clock, as commands have it in `uow.now`."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from shared.http.commands import get_parts


def present(request: Request) -> datetime:
    """Return the moment at which the request is answered."""
    return get_parts(request).clock.now()


Now = Annotated[datetime, Depends(present)]
