"""Units that stay together: merged before the engine, and told of one by one, with figures that hold when counted again."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.merge import linked, merged, unfolded
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem, WrongProblemError
from services.assignment.design.engine.proposal import Proposal, Reason
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import plain, problems
from tests.unit.assignment.design.engine.test_limits import QUICK


def solved(problem: Problem, groups: Any) -> Proposal:
    """Return the proposal for units of which those of one group stay together."""
    if problem.adjacency is not None:
        problem = replace(problem, adjacency=linked(problem.adjacency, groups))
    units = merged(problem, groups)
    return unfolded(units, problem, propose(units.problem, QUICK), QUICK)


@settings(max_examples=20, phases=[Phase.generate])
@given(problems(most_units=60), st.integers(0, 2**32))
def test_groups_stay_whole_and_figures_are_those_of_the_units(problem: Problem, seed: int):
    random = np.random.default_rng(seed)
    groups = random.integers(0, max(problem.units // 2, problem.territories), problem.units)
    if problem.fixed is not None:
        # A group may be fixed in one territory alone.
        groups = np.where(problem.fixed >= 0, problem.fixed, groups + problem.territories)
    if problem.adjacency is not None:
        problem = replace(problem, adjacency=linked(problem.adjacency, groups))
    units = merged(problem, groups)
    if units.problem.units < problem.territories:
        return
    try:
        found = unfolded(units, problem, propose(units.problem, QUICK), QUICK)
    except WrongProblemError:
        # Fewer places for units than territories want, or have: nothing that merging brings about.
        assert problem.least_units is not None
        return
    labels = found.labels
    for group in np.unique(groups):
        assert len(np.unique(labels[groups == group])) == 1
    if problem.fixed is not None:
        held = problem.fixed >= 0
        assert (labels[held] == problem.fixed[held]).all()
    np.testing.assert_allclose(found.loads, recheck.loads(problem, labels), rtol=1e-9, atol=1e-9)
    middle = recheck.centres(problem, labels)
    np.testing.assert_allclose(found.centres, middle, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.cost, recheck.cost(problem, labels, middle), rtol=1e-6, atol=1e-9)
    share, count = recheck.moved(problem, labels)
    np.testing.assert_allclose(found.moved, share, rtol=1e-9, atol=1e-12)
    assert found.moved_units == count
    if problem.adjacency is not None:
        assert found.parts.tolist() == recheck.parts(problem.adjacency, labels, problem.territories).tolist()
    assert recheck.told(found) == recheck.broken(problem, labels)
    assert found.feasible == (not recheck.broken(problem, labels))
    if found.gap is not None:
        assert found.gap >= -1e-9
        np.testing.assert_allclose(found.cost, found.bound * (1 + found.gap), rtol=1e-9, atol=1e-9)
    if units.unmet == 0 and problem.kinds is not None and problem.permitted is not None:
        free = np.ones(problem.units, bool) if problem.fixed is None else problem.fixed < 0
        assert problem.permitted[problem.kinds[free], labels[free]].all()


def test_alone_everybody_is_as_without_groups():
    problem = plain(units=60, territories=3)
    alone = solved(problem, np.arange(60))
    bare = propose(problem, QUICK)
    assert alone.labels.tolist() == bare.labels.tolist()
    assert alone.reasons.tolist() == bare.reasons.tolist()
    assert alone.bound == pytest.approx(bare.bound)
    assert (alone.cost, alone.gap) == (pytest.approx(bare.cost), pytest.approx(bare.gap))


def test_the_bound_is_below_every_plan_that_keeps_groups_whole():
    """All of them, by enumeration."""
    random = np.random.default_rng(2)
    xy = random.uniform(0, 100, (12, 2))
    xy = xy[np.argsort(xy[:, 0])]
    problem = plain(units=12, territories=2, xy=xy, whole=False, tolerance=0.4)
    groups = np.arange(12) // 2
    found = solved(problem, groups)
    assert found.feasible, found.why
    least = min(
        judged(problem, labels).cost
        for number in range(2**6)
        if not recheck.broken(problem, labels := np.array([number >> one & 1 for one in groups], np.int32))
    )
    # The bound is for this plan's own middles, whatever else a plan puts there.
    middle = recheck.centres(problem, found.labels)
    at_these = min(
        recheck.cost(problem, labels, middle)
        for number in range(2**6)
        if not recheck.broken(problem, labels := np.array([number >> one & 1 for one in groups], np.int32))
    )
    assert found.bound <= at_these * (1 + 1e-9)
    assert found.cost == pytest.approx(least)


def test_sizes_count_units_and_not_groups():
    """A dozen in one group fill a territory that takes twelve; groups of one fill the others."""
    random = np.random.default_rng(4)
    xy = random.uniform(0, 10, (36, 2))
    groups = np.where(np.arange(36) < 12, 0, np.arange(36))
    sizes = {"least_units": np.full(3, 12.0), "most_units": np.full(3, 12.0)}
    problem = plain(units=36, territories=3, xy=xy, tolerance=1.0, whole=False, **sizes)
    found = solved(problem, groups)
    assert found.feasible, found.why
    assert np.bincount(found.labels).tolist() == [12, 12, 12]


def test_where_most_of_its_value_is_a_group_belongs_and_the_rest_moves_in_any_case():
    groups = np.array([0, 0, 0, 1, 1, 2, 2])
    problem = plain(
        units=7,
        territories=2,
        whole=False,
        incumbents=np.array([0, 1, 1, 1, -1, -1, -1], np.int32),
        move_value=np.array([5.0, 1.0, 1.0, 2.0, 3.0, 1.0, 1.0]),
        stay=1.0,
        most_moved=0.5,
    )
    one = merged(problem, groups).problem
    assert one.incumbents is not None
    assert one.move_value is not None
    assert one.incumbents.tolist() == [0, 1, -1]
    assert one.move_value.tolist() == [5.0, 2.0, 2.0]
    # Of 9 half may move; 2 of them do in any case, and of the others 7 are left.
    assert one.most_moved == pytest.approx((4.5 - 2) / 7)


def test_a_move_costs_what_it_cost_without_groups():
    """Pairs at one place, of one owner: merging changes nothing of the problem."""
    half = plain(units=60, territories=3, seed=5, whole=False)
    random = np.random.default_rng(6)
    owner, value = random.integers(0, 3, 60).astype(np.int32), random.uniform(1, 2, 60)
    twice = replace(
        half,
        xy=np.repeat(half.xy, 2, axis=0),
        weight=np.repeat(half.weight, 2) / 2,
        measures=np.repeat(half.measures, 2, axis=0) / 2,
        incumbents=np.repeat(owner, 2),
        move_value=np.repeat(value, 2) / 2,
        stay=0.3,
    )
    one = merged(twice, np.repeat(np.arange(60), 2)).problem
    whole = replace(half, incumbents=owner, move_value=value, stay=0.3)
    assert one.stay == pytest.approx(0.3)
    assert propose(one, QUICK).labels.tolist() == propose(whole, QUICK).labels.tolist()


def test_pins_into_two_territories_are_no_group():
    problem = plain(units=6, territories=2, fixed=np.array([0, 1, -1, -1, -1, -1], np.int32))
    with pytest.raises(WrongProblemError, match="several territories") as refused:
        merged(problem, np.array([0, 0, 1, 2, 3, 4]))
    assert refused.value.field == "fixed"


def test_what_nobody_may_hold_whole_goes_anywhere_and_is_counted():
    permitted = np.array([[True, False], [False, True], [True, True]])
    problem = plain(
        units=6,
        territories=2,
        whole=False,
        tolerance=0.9,
        kinds=np.array([0, 1, 0, 2, 1, 1]),
        permitted=permitted,
    )
    units = merged(problem, np.array([0, 0, 1, 1, 2, 3]))
    assert units.unmet == 1
    found = propose(units.problem, QUICK)
    labels = found.labels[units.of]
    assert labels[2] == labels[3] == 0
    assert labels[4] == labels[5] == 1


def test_who_goes_for_the_sake_of_others_is_told_so():
    """Far from its group, beside another territory's middle, it follows a pin of the group."""
    xy = np.array([[0.0, 0], [1, 0], [2, 0], [100, 0], [101, 0], [102, 0], [103, 0]])
    problem = plain(
        units=7,
        territories=2,
        xy=xy,
        whole=False,
        tolerance=1.0,
        fixed=np.array([0, -1, -1, 1, -1, -1, -1], np.int32),
    )
    found = solved(problem, np.array([0, 1, 2, 3, 4, 5, 0]))
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 0]
    assert found.reasons[0] == Reason.FIXED
    assert found.reasons[6] == Reason.TOGETHER


def test_equal_groups_give_equal_proposals_whatever_they_are_called():
    problem = plain(units=50, territories=3)
    first = solved(problem, np.arange(50) // 2)
    second = solved(problem, 1000 - np.arange(50) // 2)
    assert first.labels.tolist() == second.labels.tolist()
    assert first.input_hash == second.input_hash
    assert solved(problem, np.arange(50)).input_hash != first.input_hash


def test_linked_groups_are_one_piece_wherever_they_are():
    xy = np.column_stack([np.arange(10.0), np.zeros(10)])
    adjacency = linked(neighbours(xy), np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]))
    apart = np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 0])
    assert recheck.parts(adjacency, apart, 2).tolist() == [1, 1]
    assert recheck.parts(neighbours(xy), apart, 2).tolist() == [2, 1]
