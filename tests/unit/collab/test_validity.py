"""Certifications: periods by the calendar, and what holds whatever happens in whatever order."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.collab.training.certifications.refusals import AwardOver, AwardOverlaps
from services.collab.training.certifications.validity import (
    AwardState,
    Period,
    Terms,
    Withheld,
    earn,
    require_free,
)
from services.collab.training.months import add_months

YEARLY = Terms(validity_months=12, renewal_window_days=60, grace_days=30)
LEAP_DAY = date(2024, 2, 29)


def test_a_year_from_a_leap_day_ends_on_28_february():
    first = earn(LEAP_DAY, YEARLY, [])
    assert isinstance(first, Period)
    assert (first.valid_from, first.valid_to) == (LEAP_DAY, date(2025, 2, 28))
    assert first.holds_on(date(2025, 2, 27))
    assert not first.holds_on(date(2025, 2, 28))


def test_a_renewal_thirty_days_early_extends_from_the_old_expiry():
    first = YEARLY.period(LEAP_DAY)
    renewed = earn(date(2025, 1, 29), YEARLY, [first])
    assert isinstance(renewed, Period)
    assert (renewed.valid_from, renewed.valid_to) == (date(2025, 2, 28), date(2026, 2, 28))


def test_a_renewal_in_the_grace_ends_where_one_in_time_would_have_and_leaves_the_gap():
    first = YEARLY.period(LEAP_DAY)
    renewed = earn(date(2025, 3, 10), YEARLY, [first])
    assert isinstance(renewed, Period)
    assert (renewed.valid_from, renewed.valid_to) == (date(2025, 3, 10), date(2026, 2, 28))


def test_after_the_grace_a_period_counts_from_the_day_of_the_pass():
    first = YEARLY.period(LEAP_DAY)
    assert earn(date(2025, 3, 29), YEARLY, [first]).valid_to == date(2026, 2, 28)
    late = earn(date(2025, 3, 30), YEARLY, [first])
    assert (late.valid_from, late.valid_to) == (date(2025, 3, 30), date(2026, 3, 30))


def test_a_pass_before_the_renewal_window_earns_nothing_and_says_so():
    first = YEARLY.period(LEAP_DAY)
    assert earn(date(2024, 12, 29), YEARLY, [first]) is Withheld.RENEWAL_WINDOW_NOT_OPEN
    assert isinstance(earn(date(2024, 12, 30), YEARLY, [first]), Period)
    second = YEARLY.period(first.valid_to)
    assert earn(date(2025, 1, 29), YEARLY, [first, second]) is Withheld.RENEWAL_WINDOW_NOT_OPEN


def test_a_period_that_reaches_into_another_is_refused_and_a_pass_told_late_does_not_earn_it():
    held = [YEARLY.period(date(2025, 6, 1))]
    with pytest.raises(AwardOverlaps, match="2025-06-01"):
        require_free(YEARLY.period(date(2025, 1, 1)), held)
    assert earn(date(2025, 1, 1), YEARLY, held) is Withheld.FOLLOWED_BY_ANOTHER


def test_a_revoked_award_has_no_grace_and_no_renewal():
    cut = YEARLY.period(LEAP_DAY).cut_from(date(2024, 6, 1))
    assert earn(date(2024, 5, 1), YEARLY, [cut]) is Withheld.REVOKED_SINCE
    again = earn(date(2024, 6, 10), YEARLY, [cut])
    assert (again.valid_from, again.valid_to) == (date(2024, 6, 10), date(2025, 6, 10))
    with pytest.raises(AwardOver):
        cut.cut_from(date(2024, 6, 1))


def test_the_states_of_an_award_follow_its_days():
    period = YEARLY.period(LEAP_DAY)
    days = {
        date(2024, 2, 28): AwardState.UPCOMING,
        date(2024, 2, 29): AwardState.VALID,
        date(2024, 12, 30): AwardState.EXPIRING,
        date(2025, 2, 28): AwardState.IN_GRACE,
        date(2025, 3, 30): AwardState.EXPIRED,
    }
    assert {day: period.state_on(day) for day in days} == days
    assert period.cut_from(date(2024, 5, 1)).state_on(date(2024, 5, 1)) is AwardState.REVOKED


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 240))
def test_months_go_by_the_calendar(day: date, months: int):
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    # Only a shorter month takes days away.
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


terms = st.builds(
    lambda months, window, grace: Terms(months, min(window, months * 28), min(grace, months * 28 - 1)),
    st.integers(1, 36),
    st.integers(0, 120),
    st.integers(0, 120),
)


class Certification(RuleBasedStateMachine):
    """One rep and one certification, on a clock that only goes forward."""

    @initialize(terms=terms, today=st.dates(date(2020, 1, 1), date(2028, 12, 31)))
    def begin(self, terms: Terms, today: date) -> None:
        self.terms = terms
        self.today = today
        self.held: list[Period] = []

    @rule(days=st.integers(0, 400))
    def let_time_pass(self, days: int) -> None:
        before = [period.state_on(self.today) for period in self.held]
        self.today += timedelta(days=days)
        after = [period.state_on(self.today) for period in self.held]
        order = [
            AwardState.UPCOMING,
            AwardState.VALID,
            AwardState.EXPIRING,
            AwardState.IN_GRACE,
            AwardState.EXPIRED,
        ]
        for earlier, later in zip(before, after, strict=True):
            if AwardState.REVOKED not in {earlier, later}:
                assert order.index(later) >= order.index(earlier)
            if earlier is AwardState.REVOKED:
                assert later is AwardState.REVOKED

    @rule(days_ago=st.integers(0, 90))
    def somebody_passes(self, days_ago: int) -> None:
        day = self.today - timedelta(days=days_ago)
        earned = earn(day, self.terms, self.held)
        if earned is Withheld.FOLLOWED_BY_ANOTHER:
            assert any(period.valid_from > day for period in self.held)
            return
        holding = [period for period in self.held if period.holds_on(day)]
        if isinstance(earned, Withheld):
            assert holding, "who holds nothing is never turned away"
            return
        assert earned.valid_from >= day
        if holding:
            assert earned.valid_from == holding[0].valid_to, "an early renewal loses no day and wins none"
            assert day >= holding[0].renewable_from
        else:
            assert earned.valid_from == day, "nobody is certified for days before the pass"
            assert earned.valid_to <= self.terms.period(day).valid_to
        self.held.append(earned)

    @rule(number=st.integers(0, 20))
    def an_award_is_revoked_today(self, number: int) -> None:
        if not self.held:
            return
        at = number % len(self.held)
        period = self.held[at]
        if period.valid_to <= self.today:
            with pytest.raises(AwardOver):
                period.cut_from(self.today)
            return
        left = period.cut_from(self.today)
        assert not any(left.holds_on(self.today + timedelta(days=n)) for n in range(400))
        if left.valid_from == left.valid_to:
            del self.held[at]
        else:
            self.held[at] = left

    @invariant()
    def periods_never_overlap(self) -> None:
        ordered = sorted(getattr(self, "held", []), key=lambda period: period.valid_from)
        for one, next_ in pairwise(ordered):
            assert one.valid_to <= next_.valid_from
        assert all(period.valid_from < period.valid_to for period in ordered)


TestCertification = Certification.TestCase
