from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.rollups.queries import END_DAY, FIRST_DAY, cut_into_years

days = st.dates(date(1990, 1, 1), date(2199, 12, 31))


@given(days, st.integers(0, 5_000))
def test_the_years_cover_all_time_without_gap_or_overlap(first, length):
    last = min(first + timedelta(days=length), date(2199, 12, 31))
    years = cut_into_years(first, last)
    assert (years[0][0], years[-1][1]) == (FIRST_DAY, END_DAY)
    assert all(before[1] == after[0] for before, after in pairwise(years))
    assert len(years) == last.year - first.year + 1
