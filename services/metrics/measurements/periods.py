"""The calendar periods that a half-open range of UTC days falls into. Pure."""

from datetime import date, timedelta
from typing import Literal

Grain = Literal["total", "year", "quarter", "month", "week", "day"]

_MONTHS = {"year": 12, "quarter": 3, "month": 1}


def periods_between(first_day: date, end_day: date, grain: Grain) -> list[date | None]:
    """Return the first days of all periods touched, in order; one None for the range as a whole."""
    if grain == "total":
        return [None]
    periods: list[date | None] = []
    start = period_of(first_day, grain)
    while start < end_day:
        periods.append(start)
        start = _next(start, grain)
    return periods


def bounds_of(period: date | None, grain: Grain, first_day: date, end_day: date) -> tuple[date, date]:
    """Return the part of a period that lies in the range, half-open."""
    if period is None:
        return first_day, end_day
    return max(period, first_day), min(_next(period, grain), end_day)


def count_periods(first_day: date, end_day: date, grain: Grain) -> int:
    """Return an upper bound of their number without listing them."""
    shortest = {"year": 365, "quarter": 90, "month": 28, "week": 7, "day": 1}
    return 1 if grain == "total" else (end_day - first_day).days // shortest[grain] + 2


def period_of(day: date, grain: Grain) -> date:
    """Return the first day of the period that a day is in; weeks begin on Monday."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain in _MONTHS:
        return date(day.year, (day.month - 1) // _MONTHS[grain] * _MONTHS[grain] + 1, 1)
    return day


def _next(start: date, grain: Grain) -> date:
    if grain in _MONTHS:
        months = start.month - 1 + _MONTHS[grain]
        return date(start.year + months // 12, months % 12 + 1, 1)
    return start + timedelta(days=7 if grain == "week" else 1)
