"""Which scenarios are on the front: nobody is as good everywhere and better somewhere."""

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.comparing.comparison import Standing, number_groups, on_front, shared_measures

_STANDINGS = st.builds(
    Standing,
    st.floats(0, 1).map(lambda number: round(number, 2)),
    st.integers(0, 300).map(float),
    st.floats(0, 1).map(lambda number: round(number, 2)),
)


def test_a_scenario_that_is_beaten_everywhere_is_not_on_the_front():
    best, moves_less, beaten = Standing(0.01, 50, 0.3), Standing(0.05, 60, 0.1), Standing(0.05, 60, 0.2)
    assert on_front([best, moves_less, beaten], [1, 1, 1]) == [True, True, False]


def test_equals_are_on_the_front_together():
    assert on_front([Standing(0.01, 50, 0.3), Standing(0.01, 50, 0.3)], [1, 1]) == [True, True]


def test_without_shared_measures_balance_counts_for_nobody():
    assert on_front([Standing(None, 50, 0.3), Standing(None, 51, 0.3)], [1, 1]) == [True, False]
    assert shared_measures([]) == frozenset()
    assert shared_measures([["a", "b"], ["b", "c"]]) == {"b"}


def test_scenarios_about_different_things_do_not_beat_each_other():
    groups = number_groups(["country", "city", "country"])
    assert groups == [1, 2, 1]
    standings = [Standing(0.01, 128, 0.5), Standing(0.01, 50, 0.1), Standing(0.01, 130, 0.5)]
    assert on_front(standings, groups) == [True, True, False]


@given(st.lists(_STANDINGS, min_size=1, max_size=12))
def test_there_is_a_front_and_whoever_is_not_on_it_is_beaten_by_somebody_on_it(standings: list[Standing]):
    front = [one for one, on in zip(standings, on_front(standings, [1] * len(standings)), strict=True) if on]
    assert front
    for one in standings:
        assert one in front or any(other.dominates(one) for other in front)
