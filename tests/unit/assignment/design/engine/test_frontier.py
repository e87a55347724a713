"""Where measures oppose each other, what is told is within reach, and nothing told is beaten."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.frontier import frontier
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Stage, StoppedError
from services.assignment.design.engine.reachable import Frontier
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import plain

TOLERANCE = 0.05


def road(units: int = 60, territories: int = 2, *, columns: int = 2, **fields: Any) -> Problem:
    """Return places along a road; what each is worth grows along it, by another law for each measure but the first.

    A territory is a stretch of it: as many places in each, or as much worth, and never both.
    """
    along = np.arange(units) / units
    worth = [np.ones(units), np.exp(2 * along), np.exp(-3 * along)][:columns]
    xy = np.column_stack([100 * along, np.zeros(units)])
    return plain(
        units,
        territories,
        xy=xy,
        weight=np.ones(units),
        measures=np.column_stack(worth),
        targets=np.ones((territories, columns)),
        tolerance=TOLERANCE,
        columns=columns,
        **fields,
    )


def found(problem: Problem) -> tuple[Proposal, Frontier]:
    proposal = propose(problem)
    told = frontier(problem, proposal)
    assert told is not None
    return proposal, told


def goods(problem: Problem, labels: Labels) -> Floats:
    """Return what a plan is judged by, worked out anew: what each measure is off beyond the tolerance, and travel."""
    away = recheck.distances(problem, labels, recheck.centres(problem, labels))
    off = np.maximum(recheck.deviation(problem, labels) - problem.tolerance, 0)
    return np.append(off, np.average(away, weights=problem.weight))


@pytest.mark.parametrize(
    "problem",
    [
        road(),
        road(120, 4),
        road(90, 3, columns=3),
        road(kinds=np.arange(60) // 30, permitted=np.array([[True, False], [True, True]])),
        road(homes=np.array([[0.0, 0.0], [np.nan, np.nan]]), pull=0.5),
        road(incumbents=(np.arange(60) // 45).astype(np.int32), stay=0.2),
        road(incumbents=(np.arange(60) // 45).astype(np.int32), most_moved=0.4),
    ],
    ids=["two", "four", "three measures", "kinds", "home", "from today", "few moves"],
)
def test_what_is_told_is_true_of_a_plan_and_no_other_beats_it(problem):
    proposal, told = found(problem)
    assert len(told.points) > 1
    for point in told.points:
        assert point.deviation == pytest.approx(recheck.deviation(problem, point.labels), abs=1e-9)
        assert point.mean_km == pytest.approx(goods(problem, point.labels)[-1])
        assert set(recheck.broken(problem, point.labels)) <= {"measure"}
        assert point.whole
    rows = [goods(problem, point.labels) for point in (*told.points, proposal)]
    for one in rows[:-1]:
        assert not any((other <= one + 1e-9).all() and (other < one - 1e-5).any() for other in rows)
    assert all(one.mean_km <= other.mean_km for one, other in pairwise(told.points))


@pytest.mark.parametrize("columns", [2, 3])
def test_with_each_measure_first_its_tolerance_holds(columns):
    problem = road(90, 3, columns=columns)
    told = found(problem)[1]
    for measure in range(columns):
        assert any(point.deviation[measure] <= TOLERANCE + 1e-9 for point in told.points)


def test_no_stretches_of_the_road_beat_what_is_told_by_much():
    """All plans of two stretches are tried: there are as many as there are places to cut."""
    problem = road()
    told = found(problem)[1]
    plans = [(np.arange(60) >= cut).astype(np.int32) for cut in range(1, 60)]
    tried = np.array([goods(problem, labels) for labels in plans])
    for measure in range(2):
        best = tried[tried[:, measure] == 0][:, 1 - measure].min()
        mine = [goods(problem, point.labels) for point in told.points]
        assert min(one[1 - measure] for one in mine if one[measure] <= 1e-9) == pytest.approx(best, abs=0.05)


def test_the_binding_measure_is_the_one_that_has_to_be_freed_least():
    """Two measures oppose the third, which alone keeps them from their targets."""
    units = 300
    random = np.random.default_rng(3)
    xy = np.column_stack([100 * np.arange(units) / units, np.zeros(units)])
    level, steep = np.ones(units), np.exp(2.5 * xy[:, 0] / 100)
    nearly = random.uniform(0.98, 1.02, units)
    problem = plain(
        units,
        3,
        xy=xy,
        weight=level,
        measures=np.column_stack([level, steep, nearly]),
        targets=np.ones((3, 3)),
        columns=3,
    )
    proposal, told = found(problem)
    binding = told.binding_measure
    assert binding is not None
    assert binding.measure == 1
    assert binding.freed_from == proposal.deviation[1]
    assert binding.others_from == proposal.deviation[[0, 2]].max()
    assert binding.others_to <= TOLERANCE + 1e-9 < binding.others_from
    assert binding.freed_to > binding.freed_from


def test_nothing_is_told_where_all_tolerances_hold_or_one_measure_is_alone():
    balanced = plain(200, columns=2, tolerance=0.2)
    assert frontier(balanced, propose(balanced)) is None
    lumpy = plain(6, 4, measures=np.array([[9.0], [1], [1], [1], [1], [1]]))
    missed = propose(lumpy)
    assert not missed.feasible
    assert frontier(lumpy, missed) is None


def test_equal_questions_have_equal_answers():
    problem = road(120, 4)
    proposal = propose(problem, Effort(seed=3))
    one, two = (frontier(problem, proposal, Effort(seed=3)) for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.binding_measure == two.binding_measure
    assert [point.labels.tolist() for point in one.points] == [point.labels.tolist() for point in two.points]


def test_a_watcher_that_stops_has_what_was_reached_until_then():
    problem = road(120, 4)
    proposal = propose(problem)
    whole = frontier(problem, proposal)
    assert whole is not None
    shares: list[float] = []

    def watch(stage: Stage, share: float, labels: Labels | None) -> None:
        assert stage is Stage.REPORT
        assert labels is None
        shares.append(share)
        if share > 0.3:
            raise StoppedError

    some = frontier(problem, proposal, watch=watch)
    assert some is not None
    assert shares == sorted(shares)
    # What comes later may tell more of it.
    assert some.binding_measure is not None
    assert whole.binding_measure is not None
    assert some.binding_measure.measure == whole.binding_measure.measure
    assert some.binding_measure.freed_to >= whole.binding_measure.freed_to
    assert shares[-1] < 0.5
    assert len(some.points) > 1
    for early in some.points:
        assert any((late.deviation <= early.deviation.clip(0.05) + 1e-6).all() for late in whole.points)

    def never(_stage: Stage, _share: float, _labels: Labels | None) -> None:
        raise StoppedError

    none = frontier(problem, proposal, watch=never)
    assert none is not None
    assert [point.asked for point in none.points] == [None]
    assert none.binding_measure is None
