"""A week of work as people write it down, as the week that deadlines count in. Pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from services.collab.protocols.working_hours import Hours

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def week_of(hours: Sequence[Mapping[str, Any]]) -> dict[int, tuple[Hours, ...]]:
    """Return the hours of each weekday in their order. Raises ValueError where they overlap or are empty."""
    week: dict[int, tuple[Hours, ...]] = {}
    for entry in hours:
        period = Hours(_minute(entry["from"]), _minute(entry["to"]))
        if period.opens >= period.closes:
            raise ValueError("from lies before to")
        for day in entry["days"]:
            number = WEEK.index(day)
            week[number] = tuple(sorted((*week.get(number, ()), period), key=lambda one: one.opens))
    for periods in week.values():
        if any(one.closes > other.opens for one, other in pairwise(periods)):
            raise ValueError("hours of one day overlap")
    return week


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
