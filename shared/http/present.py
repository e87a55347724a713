"""The present moment in a route: the process's clock, so that tests choose the day."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request

from shared.http.commands import get_parts


def now(request: Request) -> datetime:
    """Return the present instant."""
    return get_parts(request).clock.now()


def today(request: Request) -> date:
    """Return today's date in UTC."""
    return get_parts(request).clock.now().date()


Now = Annotated[datetime, Depends(now)]
Today = Annotated[date, Depends(today)]
