"""Where a plan is known to exist, one is found; and where units are alike, at little cost."""

import numpy as np
import pytest

from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine.problems import plain, planted
from tests.unit.assignment.design.engine.test_limits import check


@pytest.mark.parametrize("seed", range(100, 130))
def test_a_plan_is_found_where_one_is_planted(seed):
    problem, _ = planted(seed)
    found = propose(problem)
    check(problem, found)
    assert found.feasible, found.why


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("each", [2, 3, 5])
def test_a_plan_is_found_for_a_few_units_each(each, whole):
    units = 20 * each
    found = propose(plain(units, 20, each, measures=np.ones((units, 1)), whole=whole, tolerance=0.01))
    assert found.feasible, found.why
    assert (np.bincount(found.labels) == each).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plan_is_found_where_half_of_the_units_may_go_to_half_of_the_territories_alone(seed):
    """Those take next to nothing else."""
    problem = plain(
        150,
        6,
        seed,
        tolerance=0.1,
        whole=False,
        kinds=np.random.default_rng(seed).integers(0, 2, 150),
        permitted=np.array([[True] * 6, [True] * 3 + [False] * 3]),
    )
    found = propose(problem)
    check(problem, found)
    assert found.feasible, found.why


@pytest.mark.parametrize("seed", range(3))
def test_small_units_leave_a_small_gap(seed):
    found = propose(plain(3_000, 10, seed))
    assert found.feasible
    assert found.gap is not None
    assert found.gap < 0.004
