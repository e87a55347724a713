"""Input nobody means to give, and gives: an answer that is true of it, in bounded time, without warnings."""

import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from services.assignment.design.engine.contiguity import Adjacency
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine.problems import places, plain
from tests.unit.assignment.design.engine.test_limits import check

RANDOM = np.random.default_rng(8)


def solved(problem: Problem, effort: Effort | None = None) -> Proposal:
    """Return a proposal that is feasible and says what is true."""
    found = propose(problem, effort)
    check(problem, found)
    assert found.feasible, found.why
    return found


@pytest.mark.parametrize("whole", [False, True])
def test_one_unit_in_one_territory(whole):
    found = solved(plain(1, 1, whole=whole))
    assert (found.cost, found.bound, found.mean_km, found.gap) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("units", [1, 5])
def test_fewer_units_than_territories(units, whole):
    problem = plain(units, 9, whole=whole)
    found = propose(problem)
    check(problem, found)
    assert len(set(found.labels)) == units
    assert any(reason.startswith("empty:") for reason in found.why)
    assert (found.least_deviation <= found.deviation + 1e-9).all()


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("units", [2, 3, 7, 20])
@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_as_many_units_as_territories(units, whole, tolerance):
    found = solved(plain(units, units, measures=np.ones((units, 1)), whole=whole, tolerance=tolerance))
    assert sorted(found.labels) == list(range(units))


@pytest.mark.parametrize("tolerance", [0.02, 1.0])
def test_one_territory_holds_all(tolerance):
    found = solved(plain(territories=1, tolerance=tolerance))
    assert not found.labels.any()
    assert found.gap == pytest.approx(0.0, abs=1e-9)


def test_nobody_travels():
    found = propose(plain(weight=np.zeros(200)))
    assert found.feasible
    assert (found.cost, found.bound, found.mean_km) == (0.0, 0.0, 0.0)


def test_one_unit_alone_is_travelled_to():
    weight = np.zeros(200)
    weight[17] = 3.0
    found = propose(plain(weight=weight))
    assert found.feasible
    assert found.mean_km < 1.0


@pytest.mark.parametrize("columns", [1, 2])
def test_a_measure_of_which_there_is_nothing_is_in_balance(columns):
    measures = np.ones((200, columns))
    measures[:, -1] = 0.0
    found = propose(plain(columns=columns, measures=measures))
    assert found.feasible
    assert found.deviation[-1] == 0.0


def test_a_measure_that_few_units_have():
    measures = np.ones((200, 2))
    measures[:, 1] = np.where(np.arange(200) < 25, 1.0, 0.0)
    solved(plain(columns=2, measures=measures, tolerance=0.25))


@pytest.mark.parametrize("whole", [False, True])
def test_all_at_one_place(whole):
    found = solved(plain(xy=np.full((200, 2), 7.0), whole=whole))
    assert found.cost == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("whole", [False, True])
def test_all_at_a_few_places(whole):
    solved(plain(xy=np.repeat(RANDOM.uniform(0, 10, (4, 2)), 50, axis=0), whole=whole))


@pytest.mark.parametrize("turn", [0.0, 0.3, np.pi / 2])
def test_all_on_a_line(turn):
    along = np.random.default_rng(2).uniform(0, 100, 200)
    found = solved(plain(xy=np.outer(along, [np.cos(turn), np.sin(turn)])))
    ends = [along[found.labels == j] for j in range(5)]
    ends.sort(key=lambda part: part.min())
    assert all(one.max() < other.min() for one, other in pairwise(ends))


def test_a_unit_above_what_any_territory_may_hold_is_told_and_the_others_are_shared_out():
    measures = np.ones((200, 1))
    measures[7] = 150
    problem = plain(measures=measures)
    found = propose(problem)
    check(problem, found)
    assert found.why == ("measure-0: one unit alone is above what any territory may hold",)
    assert found.deviation == pytest.approx(150 / (349 / 5) - 1)
    assert found.least_deviation == pytest.approx(found.deviation)
    others = np.delete(found.loads[:, 0], found.labels[7])
    np.testing.assert_allclose(others, 199 / 4, rtol=0.1)


def test_targets_that_differ_a_hundredfold():
    solved(plain(2_000, targets=np.array([[100.0], [1], [100], [1], [100]])))
    solved(plain(2_000, targets=np.array([[1.0], [1], [100], [1], [1]]), tolerance=0.1))


@pytest.mark.parametrize("whole", [False, True])
def test_a_tolerance_of_nothing_where_units_are_alike(whole):
    found = solved(plain(measures=np.ones((200, 1)), tolerance=0.0, whole=whole))
    assert found.deviation == 0.0


def test_a_tolerance_of_nothing_where_no_plan_has_it():
    problem = plain(tolerance=0.0)
    found = propose(problem)
    check(problem, found)
    assert not found.feasible
    assert found.deviation < 0.02
    assert found.gap is None


@pytest.mark.parametrize("territory", [None, 0])
def test_all_fixed(territory):
    fixed = RANDOM.integers(0, 5, 200) if territory is None else np.full(200, territory)
    problem = plain(fixed=fixed.astype(np.int32))
    found = propose(problem)
    check(problem, found)
    assert (found.labels == fixed).all()


def test_a_few_fixed_where_they_would_be_anyway():
    problem = plain()
    fixed = np.where(np.arange(200) % 10 == 0, propose(problem).labels, -1).astype(np.int32)
    solved(plain(fixed=fixed))


@pytest.mark.parametrize("share", [0.1, 0.18])
def test_a_kind_that_one_territory_alone_may_hold(share):
    kinds = (np.random.default_rng(1).random(200) < share).astype(np.int32)
    permitted = np.array([[True] * 5, [False, False, True, False, False]])
    found = solved(plain(kinds=kinds, permitted=permitted, whole=False))
    assert (found.labels[kinds == 1] == 2).all()


def test_kinds_that_all_may_hold_are_as_none():
    kinds = np.arange(200, dtype=np.int32) % 7
    with_kinds = solved(plain(kinds=kinds, permitted=np.ones((7, 5), bool)))
    assert with_kinds.cost == pytest.approx(solved(plain()).cost, rel=0.02)


def test_a_kind_of_which_there_is_more_than_its_territory_takes():
    kinds = np.repeat([0, 1], 100).astype(np.int32)
    permitted = np.array([[True] * 5, [False, False, True, False, False]])
    problem = plain(kinds=kinds, permitted=permitted, whole=False)
    found = propose(problem)
    check(problem, found)
    assert (found.labels[kinds == 1] == 2).all()
    assert not found.feasible
    least = found.least_deviation[0]
    assert 1.3 < least < found.deviation[0] + 1e-9
    assert found.deviation[0] < least * 1.1


def island(seed: int, units: tuple[int, ...]) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    xy = np.concatenate(
        [random.uniform(0, 10, (n, 2)) + np.array([100.0 * at, 0]) for at, n in enumerate(units)]
    )
    return {"units": len(xy), "xy": xy, "adjacency": neighbours(xy, islands_km=40.0)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("units", [(80, 120), (40, 160), (80, 40, 80)])
def test_islands_that_share_out_are_shared_out(seed, units):
    fields = island(seed, units)
    total = fields.pop("units")
    solved(plain(total, total // 40, measures=np.ones((total, 1)), **fields))


def test_islands_that_do_not_share_out_are_told():
    fields = island(0, (100, 100))
    total = fields.pop("units")
    problem = plain(total, 5, measures=np.ones((total, 1)), **fields)
    found = propose(problem)
    check(problem, found)
    assert not found.feasible
    assert found.least_deviation == pytest.approx([0.25])
    assert found.deviation[0] < 0.3


def test_units_that_touch_nobody():
    problem = plain(adjacency=Adjacency(np.zeros(201, np.int64), np.empty(0, np.int32)))
    found = propose(problem)
    check(problem, found)
    assert not found.feasible
    assert any(reason.startswith("parts:") for reason in found.why)


def test_all_reps_at_one_address():
    solved(plain(homes=np.full((5, 2), 50.0), pull=1.0, whole=False))


@pytest.mark.parametrize("steep", [False, True])
def test_measures_that_pull_against_each_other_are_told_in_bounded_time(steep):
    """Along one axis there is ever more of the one and less of the other: compact and balanced exclude each other."""
    xy = places(np.random.default_rng(4), "even", 150)
    away = np.exp(xy / 15) if steep else 1 + xy / 10
    measures = np.column_stack([away[:, 0], away[:, 0].max() / away[:, 0], away[:, 1]])
    problem = plain(150, 6, columns=3, xy=xy, measures=measures, tolerance=0.02)
    begun = time.process_time()
    found = propose(problem)
    assert time.process_time() - begun < 10
    check(problem, found)
    if not found.feasible:
        assert found.why
        assert {binding.measure for binding in found.binding} >= {0}


@pytest.mark.parametrize(
    "effort", [Effort(starts=1, rounds=1), Effort(seed=2**70), Effort(starts=9, rounds=2)]
)
def test_little_effort_and_odd_seeds(effort):
    solved(plain(), effort)
