"""Deadlines in working time: so many hours or days on, in a calendar with a zone and holidays. Pure.

Hours are hours somebody is at work: from Friday 16:00, eight of them end on Monday at 16:00. Days are whole:
the day something began does not count, and the last one ends when its work does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
MINUTES_OF_DAY = 24 * 60


class Unit(StrEnum):
    """What working time is counted in."""

    HOURS = "hours"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """So many hours or days of work."""

    amount: int
    unit: Unit

    def times(self, number: int) -> "WorkingTime":
        """Return it so many times over."""
        return WorkingTime(self.amount * number, self.unit)


@dataclass(frozen=True, slots=True)
class Hours:
    """Work from one minute of the day to another, on the clock of the calendar's zone; 1440 is midnight."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When there is work: by weekday (Monday is 0), in order and apart, except on holidays."""

    zone: str
    week: Mapping[int, tuple[Hours, ...]]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not any(self.week.values()):
            raise ValueError("no day of the week has work")


def add_working_time(calendar: WorkingCalendar, start: datetime, span: WorkingTime) -> datetime:
    """Return the first instant by which so much working time has passed since `start`, in UTC."""
    if span.amount == 0:
        return start.astimezone(UTC)
    if span.unit is Unit.HOURS:
        return _add_hours(calendar, start, timedelta(hours=span.amount))
    return _add_days(calendar, start, span.amount)


def working_time_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> timedelta:
    """Return how much work lies between two instants."""
    total = timedelta(0)
    for opens, closes in _periods(calendar, start):
        if opens >= end:
            break
        total += min(closes, end) - max(opens, start)
    return total


def may_pass_before(calendar: WorkingCalendar, span: WorkingTime, deadline: WorkingTime) -> bool:
    """Tell whether so much working time may pass before a deadline does, from the best start in the calendar."""
    if span.unit is deadline.unit:
        return span.amount < deadline.amount
    if span.unit is Unit.HOURS:
        # From when a day opens: its hours come on top of the days that count.
        return timedelta(hours=span.amount) < max(_runs_of_days(calendar, deadline.amount + 1))
    # From when a day closes: nothing of it is left.
    return min(_runs_of_days(calendar, span.amount)) < timedelta(hours=deadline.amount)


def _runs_of_days(calendar: WorkingCalendar, days: int) -> list[timedelta]:
    """Return how much work so many working days on end have, from each of the week on; without holidays."""
    worked = [
        sum(hours.closes - hours.opens for hours in calendar.week[day])
        for day in sorted(calendar.week)
        if calendar.week[day]
    ]
    weeks, rest = divmod(days, len(worked))
    twice = worked * 2
    return [
        timedelta(minutes=weeks * sum(worked) + sum(twice[first : first + rest]))
        for first in range(len(worked))
    ]


def _add_hours(calendar: WorkingCalendar, start: datetime, left: timedelta) -> datetime:
    for opens, closes in _periods(calendar, start):
        begins = max(opens, start)
        if closes - begins >= left:
            return begins.astimezone(UTC) + left
        left -= closes - begins
    raise AssertionError("unreachable: periods go on for ever")


def _add_days(calendar: WorkingCalendar, start: datetime, days: int) -> datetime:
    day = start.astimezone(ZoneInfo(calendar.zone)).date()
    # A day whose work closes at midnight is over then: midnight itself still belongs to it.
    if any(closes == start for _, closes in _periods_of(calendar, day - _DAY)):
        day -= _DAY
    while True:
        day += _DAY
        worked = list(_periods_of(calendar, day))
        days -= bool(worked)
        if days == 0 and worked:
            return worked[-1][1]


def _periods(calendar: WorkingCalendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the periods of work that end after `start`, without end."""
    day = start.astimezone(ZoneInfo(calendar.zone)).date() - _DAY
    ended = start.astimezone(UTC)
    while True:
        for opens, closes in _periods_of(calendar, day):
            if closes > ended:
                # Where clocks are set back, two periods of the wall clock may share an hour: it counts once.
                yield max(opens, ended), closes
                ended = closes
        day += _DAY


def _periods_of(calendar: WorkingCalendar, day: date) -> Iterator[tuple[datetime, datetime]]:
    if day in calendar.holidays:
        return
    zone = ZoneInfo(calendar.zone)
    for hours in calendar.week.get(day.weekday(), ()):
        # An hour that comes twice is worked twice; one that the clock leaves out is not worked at all.
        opens = _instant(day, hours.opens, zone, fold=0)
        closes = _instant(day, hours.closes, zone, fold=1)
        if opens < closes:
            yield opens, closes


def _instant(day: date, minute: int, zone: ZoneInfo, *, fold: int) -> datetime:
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
