"""How many territories work takes: each figure against a search over all numbers of territories."""

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.sizing.sizing import MOST_TERRITORIES, Work, size_up

WORK = st.builds(
    lambda total, share: Work(total, total * share),
    st.floats(1, 1e6),
    st.floats(0.001, 1),
)


def test_a_plain_case():
    found = size_up(Work(1000.0, 100.0), per_rep=120.0, tolerance=0.1, also=(4.0,))
    assert round(found.reps, 3) == 8.333
    assert (found.proposed, found.fewest, found.most, found.most_whole) == (8, 8, 9, 11)
    told = {one.territories: one for one in found.options}
    assert list(told) == list(range(3, 11))
    assert told[8].load == 125.0
    assert round(told[8].deviation, 4) == 0.0417
    assert [number for number, one in told.items() if one.within_tolerance] == [8, 9]
    assert all(one.largest_fits for one in told.values())


@given(WORK, st.floats(0.5, 1e5), st.sampled_from([0.01, 0.05, 0.3, 1.0]))
def test_figures_are_those_of_a_search(work: Work, per_rep: float, tolerance: float):
    found = size_up(work, per_rep=per_rep, tolerance=tolerance)
    if found.reps > 2_000:
        return
    numbers = range(1, 2_500)
    off = {number: abs(work.total / number / per_rep - 1) for number in numbers}
    assert found.proposed is not None
    assert off[found.proposed] <= min(off.values()) + 1e-9
    inside = [number for number in numbers if off[number] <= tolerance]
    if tolerance < 1:
        # Right on the edge the last digit decides, and either is as good.
        on_edge = any(abs(one - tolerance) < 1e-6 for one in off.values())
        if not on_edge:
            assert (found.fewest, found.most) == ((inside[0], inside[-1]) if inside else (None, None))
    else:
        assert found.most is None
    assert found.most_whole is not None
    assert work.largest <= (1 + tolerance) * work.total / found.most_whole * (1 + 1e-6)
    assert work.largest > (1 + tolerance) * work.total / (found.most_whole + 1) * (1 - 1e-6)


@given(WORK, st.floats(1e-6, 1e15), st.lists(st.floats(0, 5_000), max_size=3))
def test_options_are_few_and_name_what_matters(work: Work, per_rep: float, also: list[float]):
    found = size_up(work, per_rep=per_rep, tolerance=0.05, also=tuple(also))
    numbers = [one.territories for one in found.options]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 70
    assert all(1 <= one <= MOST_TERRITORIES for one in numbers)
    for named in (found.proposed, found.fewest, found.most):
        assert named is None or named > MOST_TERRITORIES or named in numbers


def test_without_work_there_is_nothing_to_share_out():
    found = size_up(Work(0.0, 0.0), per_rep=10.0, tolerance=0.05, also=(3.0,))
    assert (found.reps, found.proposed, found.most_whole, found.options) == (0.0, None, None, ())


def test_no_whole_number_may_be_within_the_tolerance():
    found = size_up(Work(150.0, 1.0), per_rep=100.0, tolerance=0.05)
    assert (found.proposed, found.fewest, found.most) == (2, None, None)
    assert not any(one.within_tolerance for one in found.options)
