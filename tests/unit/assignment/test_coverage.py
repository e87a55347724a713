"""The peak of shares: the largest sum at any instant, against trying every instant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.reps.coverages.coverage import Coverage, peak_share

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
days = st.integers(0, 20)


def _at(day: int) -> datetime:
    return BEGIN + timedelta(days=day)


def _coverage(start: int, length: int | None, share: int) -> Coverage:
    ends = None if length is None else _at(start + length)
    return Coverage(UUID(int=1), UUID(int=2), UUID(int=3), "overlay", Decimal(share), _at(start), ends)


def test_shares_that_never_meet_do_not_add_up() -> None:
    beside = [_coverage(0, 5, 60), _coverage(5, 5, 70), _coverage(7, None, 20)]
    assert peak_share(beside, since=_at(0), until=_at(7)) == 70
    assert peak_share(beside, since=_at(0), until=None) == 90
    assert peak_share([], since=_at(0), until=None) == 0


@given(
    st.lists(st.builds(_coverage, days, st.none() | st.integers(1, 10), st.integers(1, 100)), max_size=6),
    days,
    st.integers(1, 20),
)
def test_the_peak_is_that_of_the_fullest_day(coverages: list[Coverage], since: int, length: int) -> None:
    by_day = [
        sum(one.share_percent for one in coverages if one.holds(_at(day)))
        for day in range(since, since + length)
    ]
    assert peak_share(coverages, since=_at(since), until=_at(since + length)) == max(by_day)
