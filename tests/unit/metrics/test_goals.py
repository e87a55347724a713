"""Goals: what the SMART check finds, how far they should be by now, where they are heading, how quotas are cut."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.goals.goal import Goal
from services.metrics.goals.pace import days_of, elapsed_share, is_at_risk, progress_of
from services.metrics.goals.refusals import GoalClosed, GoalNotDraft, GoalNotSmart, GoalStillRuns
from services.metrics.goals.smart import Surroundings, chance_of, check, failures
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import GoalTerms
from services.metrics.quotas.quota import Target, quota_minor

NORTH = UUID(int=1)
TODAY = date(2026, 10, 5)
REVENUE = GoalTerms(
    title="North in the fourth quarter",
    metric_id="revenue",
    view="as_was",
    currency="USD",
    territory_id=NORTH,
    owner="Ann",
    objective="Pay for the second van",
    parent_goal_id=None,
    direction="up",
    baseline=None,
    target=Decimal(100_000),
    first_day=date(2026, 10, 1),
    end_day=date(2027, 1, 1),
    pacing="linear",
    stretch=False,
)
HISTORY = [Decimal(value) for value in (90_000, 100_000, 110_000)]
AROUND = Surroundings(TODAY, HISTORY)
RATE = replace(REVENUE, metric_id="win-rate", currency=None, baseline=Decimal("0.20"), target=Decimal("0.30"))


def codes(terms: GoalTerms, around: Surroundings = AROUND) -> set[tuple[str, str]]:
    return {(finding.letter, finding.code) for finding in check(terms, around)}


def test_a_smart_goal_has_no_findings() -> None:
    assert check(REVENUE, AROUND) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"metric_id": "luck"}, ("S", "unknown-metric")),
        ({"currency": None}, ("S", "no-currency")),
        ({"metric_id": "orders"}, ("S", "needless-currency")),
        ({"owner": None}, ("S", "no-owner")),
        ({"currency": "XXX"}, ("S", "no-money")),
        ({"target": Decimal("100.001")}, ("M", "too-fine")),
        ({"target": Decimal(0)}, ("M", "no-change")),
        ({"target": Decimal(-5)}, ("M", "no-change")),
        ({"metric_id": "leads", "currency": None, "target": Decimal("10.5")}, ("M", "no-whole-number")),
        ({"baseline": Decimal(200_000)}, ("M", "no-change")),
        ({"target": Decimal(150_000)}, ("A", "out-of-reach")),
        ({"target": Decimal(108_000)}, ("A", "bold")),
        ({"target": Decimal(60_000)}, ("A", "reached-anyway")),
        ({"objective": None}, ("R", "no-purpose")),
        ({"end_day": date(2026, 10, 1)}, ("T", "ends-before-it-begins")),
        ({"first_day": date(2026, 1, 1), "end_day": date(2026, 4, 1)}, ("T", "over-already")),
        ({"end_day": date(2026, 10, 8)}, ("T", "too-short")),
        (
            {"first_day": date(2026, 10, 10), "end_day": date(2026, 10, 12), "pacing": "working_days"},
            ("T", "no-working-day"),
        ),
    ],
)
def test_each_letter_is_checked(changed: dict[str, object], expected: tuple[str, str]) -> None:
    assert expected in codes(replace(REVENUE, **changed))  # type: ignore[arg-type]


def test_a_rate_needs_a_baseline_and_lies_between_nothing_and_everything() -> None:
    assert ("M", "no-baseline") in codes(replace(RATE, baseline=None))
    assert ("M", "no-such-ratio") in codes(replace(RATE, target=Decimal(30)))
    assert ("M", "little-history") in codes(RATE, Surroundings(TODAY))


def test_a_goal_serves_its_parent() -> None:
    year = replace(REVENUE, first_day=date(2026, 1, 1), target=Decimal(400_000))
    child = replace(REVENUE, objective=None, parent_goal_id=UUID(int=9))
    assert codes(child, replace(AROUND, parent=year)) == set()
    assert codes(child, replace(AROUND, parent=RATE)) == {("R", "unrelated-parent")}
    summer = replace(year, end_day=date(2026, 12, 1))
    assert codes(child, replace(AROUND, parent=summer)) == {("R", "outside-parent")}


def test_the_parent_runs_and_measures_in_the_same_way() -> None:
    year = replace(REVENUE, first_day=date(2026, 1, 1), target=Decimal(400_000))
    child = replace(REVENUE, objective=None, parent_goal_id=UUID(int=9))
    around = replace(AROUND, parent=year)
    for state in (GoalState.CANCELLED, GoalState.ACHIEVED, GoalState.MISSED):
        (found,) = check(child, replace(around, parent_state=state))
        assert (found.code, found.severity) == ("parent-not-running", "fail")
    (found,) = check(child, replace(around, parent_state=GoalState.DRAFT))
    assert (found.code, found.severity) == ("parent-not-running", "warn")
    assert codes(replace(child, currency="EUR"), around) == {("R", "other-currency")}
    assert codes(replace(child, view="as_is"), around) == {("R", "other-view")}
    # What drives the parent's metric need not be measured alike.
    assert codes(replace(child, metric_id="bookings", currency="EUR"), around) == set()
    assert codes(child, replace(around, is_own_ancestor=True)) == {("R", "own-parent")}


def test_spending_less_than_an_amount_needs_no_baseline() -> None:
    """What is to stay low starts from nothing, too: it is met until it is passed."""
    spend = replace(REVENUE, metric_id="spend", direction="down")
    assert codes(spend) == set()


def test_a_territory_has_one_quota() -> None:
    assert codes(REVENUE, replace(AROUND, rival=UUID(int=9))) == {("S", "second-quota")}
    assert REVENUE.is_quota
    assert not replace(REVENUE, stretch=True).is_quota
    assert not replace(REVENUE, metric_id="bookings").is_quota


def test_the_chance_is_that_of_a_normal_distribution() -> None:
    """Mean 100,000 and standard deviation 10,000: one deviation above is reached in 15.87 % of cases."""
    assert chance_of(replace(REVENUE, target=Decimal(110_000)), HISTORY) == pytest.approx(0.158655, abs=1e-6)
    assert chance_of(REVENUE, HISTORY) == pytest.approx(0.5)
    assert chance_of(replace(REVENUE, direction="down", target=Decimal(110_000)), HISTORY) == pytest.approx(
        0.841345, abs=1e-6
    )
    assert chance_of(REVENUE, HISTORY[:2]) is None


def test_a_stretch_may_be_out_of_reach() -> None:
    bold = replace(REVENUE, target=Decimal(150_000))
    assert failures(check(bold, AROUND))
    assert not failures(check(replace(bold, stretch=True), AROUND))


def test_pace_and_forecast_of_what_adds_up() -> None:
    """Day 46 of 92: half of the target is due. 40,000 so far; the rest blends own rate and the usual 100,000.

    By hand: 40,000 + 0.5 * 40,000 (own rate, weight 0.5 on a rest of 40,000) + 0.5 * 50,000 = 85,000;
    the band is 1.2816 * 10,000 * sqrt(0.5) = 9,062.28 to each side.
    """
    progress = progress_of(REVENUE, Decimal(40_000), HISTORY, today=date(2026, 11, 16))
    assert (progress.elapsed, progress.due) == (Decimal("0.5"), Decimal(50_000))
    assert (progress.pace, progress.progress) == (Decimal("0.8"), Decimal("0.4"))
    assert progress.required_per_day == Decimal("1304.347826")  # 60,000 over 46 days
    assert progress.forecast is not None
    assert progress.forecast.expected == Decimal(85_000)
    assert progress.forecast.high is not None
    assert progress.forecast.high - progress.forecast.expected == pytest.approx(Decimal("9062.28"), abs=1)


def test_pace_of_a_rate_starts_from_its_baseline() -> None:
    progress = progress_of(RATE, Decimal("0.24"), [], today=date(2026, 11, 16))
    assert (progress.due, progress.progress) == (Decimal("0.25"), Decimal("0.4"))
    assert progress.required_per_day is None
    assert progress_of(RATE, None, [], today=date(2026, 11, 16)).pace is None


def test_danger_begins_under_85_hundredths_and_ends_at_95() -> None:
    def at(value: int, *, before: bool) -> bool:
        day = date(2026, 11, 16)
        return is_at_risk(progress_of(REVENUE, Decimal(value), HISTORY, today=day), before=before)

    assert [at(42_499, before=False), at(42_500, before=False)] == [True, False]
    assert [at(47_499, before=True), at(47_500, before=True)] == [True, False]
    # In the first tenth of its days nothing is said.
    early = progress_of(REVENUE, Decimal(0), HISTORY, today=date(2026, 10, 9))
    assert not is_at_risk(early, before=False)


def test_working_days_leave_weekends_out() -> None:
    """October 2026 has 22 Mondays to Fridays (calendar)."""
    assert days_of(date(2026, 10, 1), date(2026, 11, 1), "working_days") == 22
    assert days_of(date(2026, 10, 1), date(2026, 11, 1), "linear") == 31


DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
AMOUNTS = st.decimals(0, 10**9, places=2)


@given(DAYS, st.integers(1, 900), DAYS, st.sampled_from(["linear", "working_days"]))
def test_elapsed_grows_from_nothing_to_all(first: date, length: int, today: date, pacing: str) -> None:
    terms = replace(REVENUE, first_day=first, end_day=first + timedelta(days=length), pacing=pacing)  # type: ignore[arg-type]
    share = elapsed_share(terms, today)
    assert 0 <= share <= 1
    assert share <= elapsed_share(terms, today + timedelta(days=1))
    assert elapsed_share(terms, terms.end_day) == 1


@given(AMOUNTS, AMOUNTS, st.lists(AMOUNTS, max_size=6), DAYS)
def test_more_is_never_more_dangerous(
    value: Decimal, more: Decimal, history: list[Decimal], today: date
) -> None:
    less = progress_of(REVENUE, value, history, today=today)
    greater = progress_of(REVENUE, value + more, history, today=today)
    for before in (False, True):
        assert is_at_risk(less, before=before) or not is_at_risk(greater, before=before)


@given(AMOUNTS, DAYS, st.integers(1, 800), st.lists(st.integers(0, 900), max_size=6))
def test_the_parts_of_a_quota_add_up_to_the_cent(
    amount: Decimal, first: date, length: int, cuts: list[int]
) -> None:
    target = Target(NORTH, "USD", amount, first, first + timedelta(days=length))
    days = sorted({first, target.end_day, *(first + timedelta(days=cut) for cut in cuts)})
    parts = [quota_minor([target], a, b, "USD") for a, b in pairwise(days)]
    assert sum(parts) == amount * 100
    assert all(part >= 0 for part in parts)
    assert quota_minor([target], first, target.end_day, "EUR") == 0


def goal(state: GoalState = GoalState.DRAFT) -> Goal:
    return Goal(UUID(int=5), REVENUE, state, 1)


def test_a_goal_goes_from_draft_to_active_to_its_end() -> None:
    active = goal().activate([])
    assert (active.state, active.version) == (GoalState.ACTIVE, 2)
    settles_on = REVENUE.end_day + timedelta(days=2)
    assert active.settle(Decimal(100_000), today=settles_on).state is GoalState.ACHIEVED
    assert active.settle(Decimal("99999.99"), today=settles_on).state is GoalState.MISSED
    assert active.settle(None, today=settles_on).state is GoalState.MISSED
    with pytest.raises(GoalStillRuns):
        active.settle(Decimal(0), today=settles_on - timedelta(days=1))
    with pytest.raises(GoalNotDraft):
        active.change(REVENUE)
    with pytest.raises(GoalNotSmart):
        goal().activate(check(replace(REVENUE, owner=None), AROUND))


STEPS = st.lists(st.sampled_from(["change", "activate", "settle", "cancel"]), max_size=8)


@given(STEPS)
def test_no_order_of_steps_leaves_an_end(steps: list[str]) -> None:
    """Whatever is asked for in whatever order: versions rise by one, and an ended goal changes no more."""
    now = goal()
    for step in steps:
        ended = now.state not in {GoalState.DRAFT, GoalState.ACTIVE}
        try:
            then = {
                "change": lambda one: one.change(REVENUE),
                "activate": lambda one: one.activate([]),
                "settle": lambda one: one.settle(Decimal(0), today=one.settles_on),
                "cancel": lambda one: one.cancel(),
            }[step](now)
        except (GoalClosed, GoalNotDraft):
            continue
        assert not ended
        assert then.version == now.version + 1
        now = then
