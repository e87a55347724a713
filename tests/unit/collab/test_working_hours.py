"""Working time against golden cases, the laws of addition, and a count of minutes one by one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.collab.protocols.working_hours import (
    MINUTES_OF_DAY,
    Hours,
    Unit,
    WorkingCalendar,
    WorkingTime,
    add_working_time,
    working_time_between,
)

NINE_TO_FIVE = (Hours(9 * 60, 17 * 60),)
WEEKDAYS = dict.fromkeys(range(5), NINE_TO_FIVE)
ROUND_THE_CLOCK = dict.fromkeys(range(7), (Hours(0, MINUTES_OF_DAY),))
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 30)


def at(*when: int, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime(*when, tzinfo=zone)  # type: ignore[arg-type]


def hours(number: int) -> WorkingTime:
    return WorkingTime(number, Unit.HOURS)


def days(number: int) -> WorkingTime:
    return WorkingTime(number, Unit.DAYS)


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        # Eight business hours from Friday 16:00 are due on Monday at 16:00, over the change to summer time.
        (at(2026, 3, 27, 16), hours(8), at(2026, 3, 30, 16)),
        (at(2026, 3, 27, 16), hours(1), at(2026, 3, 27, 17)),
        (at(2026, 3, 27, 16), hours(16), at(2026, 3, 31, 16)),
        (at(2026, 3, 28, 17), hours(8), at(2026, 3, 30, 17)),
        (at(2026, 3, 27, 6), hours(8), at(2026, 3, 27, 17)),
        (at(2026, 3, 27, 16), days(1), at(2026, 3, 30, 17)),
        (at(2026, 3, 27, 16), days(2), at(2026, 3, 31, 17)),
        (at(2026, 3, 28, 12), days(1), at(2026, 3, 30, 17)),
        (at(2026, 3, 30, 6), days(1), at(2026, 3, 31, 17)),
        # Its first moment is of the day, too.
        (at(2026, 3, 30), days(1), at(2026, 3, 31, 17)),
        (at(2026, 3, 28, 12), days(0), at(2026, 3, 28, 12)),
    ],
)
def test_business_time_in_berlin(start: datetime, span: WorkingTime, due: datetime):
    calendar = WorkingCalendar("Europe/Berlin", WEEKDAYS)
    assert add_working_time(calendar, start, span) == due.astimezone(UTC)


def test_a_holiday_pushes_it_on():
    calendar = WorkingCalendar("Europe/Berlin", WEEKDAYS, frozenset({MONDAY}))
    assert add_working_time(calendar, at(2026, 3, 27, 16), hours(8)) == at(2026, 3, 31, 16)
    assert add_working_time(calendar, at(2026, 3, 27, 16), days(1)) == at(2026, 3, 31, 17)


def test_24_hours_round_the_clock_are_24_hours_gone_by():
    """From Saturday 17:00 before the clocks go forward: due on Sunday at 18:00 by the new time."""
    calendar = WorkingCalendar("Europe/Berlin", ROUND_THE_CLOCK)
    assert add_working_time(calendar, at(2026, 3, 28, 17), hours(24)) == at(2026, 3, 29, 18)


@pytest.mark.parametrize(("month", "day", "worked"), [(3, 29, 23), (10, 25, 25), (3, 28, 24)])
def test_the_days_of_the_clock_change_have_the_hours_they_have(month: int, day: int, worked: int):
    calendar = WorkingCalendar("Europe/Berlin", ROUND_THE_CLOCK)
    start = at(2026, month, day)
    end = datetime(2026, month, day, tzinfo=BERLIN) + timedelta(days=1)
    assert working_time_between(calendar, start, end) == timedelta(hours=worked)


def test_an_hour_that_comes_twice_counts_once_for_each_time_it_comes():
    """Two shifts meet at 02:30, which comes twice in the night the clocks go back."""
    shifts = {6: (Hours(0, 150), Hours(150, 300))}
    calendar = WorkingCalendar("Europe/Berlin", shifts)
    assert working_time_between(calendar, at(2026, 10, 25), at(2026, 10, 26)) == timedelta(hours=6)
    assert add_working_time(calendar, at(2026, 10, 24), hours(6)) == at(2026, 10, 25, 5)


def test_a_day_that_a_zone_leaves_out_has_no_work():
    calendar = WorkingCalendar("Pacific/Apia", dict.fromkeys(range(7), NINE_TO_FIVE))
    apia = ZoneInfo("Pacific/Apia")
    thursday = at(2011, 12, 29, 9, zone=apia)
    assert add_working_time(calendar, thursday, hours(16)) == at(2011, 12, 31, 17, zone=apia)


def test_a_calendar_without_work_is_refused():
    with pytest.raises(ValueError, match="no day"):
        WorkingCalendar("UTC", {})


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    week = {}
    for weekday in draw(st.sets(st.integers(0, 6), min_size=1)):
        edges = sorted(draw(st.sets(st.integers(0, MINUTES_OF_DAY), min_size=2, max_size=4)))
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
        week[weekday] = tuple(Hours(*pair) for pair in pairs)
    holidays = draw(st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=5))
    zone = draw(st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"]))
    return WorkingCalendar(zone, week, holidays)


INSTANTS = st.datetimes(datetime(2026, 3, 15), datetime(2026, 4, 15), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(WorkingTime, st.integers(0, 6), st.sampled_from(Unit))


@settings(deadline=None, max_examples=60)
@given(calendars(), INSTANTS, INSTANTS, SPANS)
def test_a_later_start_is_never_due_earlier(
    calendar: WorkingCalendar, one: datetime, other: datetime, span: WorkingTime
):
    first, second = sorted((one, other))
    assert add_working_time(calendar, first, span) <= add_working_time(calendar, second, span)


@settings(deadline=None, max_examples=60)
@given(calendars(), INSTANTS, st.sampled_from(Unit), st.integers(0, 6), st.integers(0, 6))
def test_two_spans_one_after_the_other_are_their_sum(
    calendar: WorkingCalendar, start: datetime, unit: Unit, one: int, other: int
):
    midway = add_working_time(calendar, start, WorkingTime(one, unit))
    after = add_working_time(calendar, midway, WorkingTime(other, unit))
    assert after == add_working_time(calendar, start, WorkingTime(one + other, unit))


@settings(deadline=None, max_examples=60)
@given(calendars(), INSTANTS, st.integers(1, 6))
def test_so_much_work_lies_between_start_and_deadline(
    calendar: WorkingCalendar, start: datetime, number: int
):
    due = add_working_time(calendar, start, hours(number))
    assert working_time_between(calendar, start, due) == timedelta(hours=number)
    # No earlier instant has as much of it behind itself.
    just_before = due - timedelta(microseconds=1)
    assert working_time_between(calendar, start, just_before) < timedelta(hours=number)


@settings(deadline=None, max_examples=15)
@given(calendars(), INSTANTS, st.integers(0, 36))
def test_work_is_what_the_wall_clock_shows_minute_by_minute(
    calendar: WorkingCalendar, start: datetime, length: int
):
    """Another way to count: look at the clock on the wall every minute."""
    start = start.replace(second=0, microsecond=0)
    zone = ZoneInfo(calendar.zone)
    minutes = 0
    for minute in range(length * 60):
        local = (start + timedelta(minutes=minute)).astimezone(zone)
        now = local.hour * 60 + local.minute
        open_ = any(h.opens <= now < h.closes for h in calendar.week.get(local.weekday(), ()))
        minutes += open_ and local.date() not in calendar.holidays
    counted = working_time_between(calendar, start, start + timedelta(hours=length))
    assert counted == timedelta(minutes=minutes)
