from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.measurements.periods import count_periods, period_of, periods_between

DAYS = st.dates(date(1990, 1, 1), date(2199, 12, 31))
GRAINS = st.sampled_from(["total", "year", "quarter", "month", "week", "day"])


@given(first=DAYS, length=st.integers(1, 800), grain=GRAINS)
def test_every_day_is_in_exactly_one_of_the_periods(first, length, grain):
    end = first + timedelta(days=length)
    periods = periods_between(first, end, grain)
    assert len(periods) <= count_periods(first, end, grain)
    if grain == "total":
        assert periods == [None]
        return
    assert periods == sorted(set(periods))
    assert {period_of(first + timedelta(days=n), grain) for n in range(length)} == set(periods)


def test_weeks_begin_on_monday():
    assert periods_between(date(2026, 1, 1), date(2026, 1, 6), "week") == [
        date(2025, 12, 29),
        date(2026, 1, 5),
    ]
