"""The present moment in a route: the process's clock, so that tests choose the day."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Request

from shared.http.commands import get_parts


def today(request: Request) -> date:
    """Return today's date in UTC."""
    return get_parts(request).clock.now().date()


Today = Annotated[date, Depends(today)]
