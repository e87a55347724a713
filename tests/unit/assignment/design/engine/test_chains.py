"""Chains of moves: balance where no move of a single unit mends anything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.chains import by_chains
from services.assignment.design.engine.finishing import make_plan
from services.assignment.design.engine.linking import adjacency_of
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.resplits import violation
from services.assignment.design.engine.scaled import Scaled, scaled
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import problems

HARD = np.array([True])


def road(loads: list[int], **fields: object) -> tuple[Problem, Labels, Adjacency]:
    """Return units along a road, so many in each of the territories one after the other, which should hold ten each."""
    labels = np.repeat(np.arange(len(loads)), loads).astype(np.int32)
    units = len(labels)
    along = np.arange(units)
    adjacency = adjacency_of(np.column_stack([along[:-1], along[1:]]).astype(np.int32), units)
    problem = Problem(
        xy=np.column_stack([along, np.zeros(units)]).astype(np.float64),
        weight=np.ones(units),
        measures=np.ones((units, 1)),
        targets=np.full((len(loads), 1), 10.0),
        tolerance=np.array([0.01]),
        adjacency=adjacency,
        incumbents=labels,
    )
    return replace(problem, **fields), labels, adjacency  # type: ignore[arg-type]


def planned(problem: Problem, labels: Labels) -> tuple[Scaled, Plan]:
    ready = scaled(problem)
    return ready, make_plan(ready, labels.copy())


@pytest.mark.parametrize("loads", [[11, 10, 10, 10, 9], [9, 10, 10, 10, 11], [10, 12, 10, 8, 10], [13, 7]])
def test_what_is_over_goes_through_full_neighbours_to_where_there_is_room(loads):
    problem, labels, adjacency = road(loads)
    _, plan = planned(problem, labels)
    moved = by_chains(plan, adjacency, HARD, whole=True)
    assert np.bincount(plan.labels).tolist() == [10] * len(loads)
    assert moved == (plan.labels != labels).sum() > 0
    assert (np.diff(plan.labels) >= 0).all()


def test_a_chain_beyond_the_budget_is_not_begun():
    problem, labels, adjacency = road([11, 10, 10, 9])
    ready, plan = planned(problem, labels)
    plan.left[0] = 2.5 * ready.move_value[0]
    assert by_chains(plan, adjacency, HARD, whole=True) == 0
    assert plan.labels.tolist() == labels.tolist()
    plan.left[0] = 3.5 * ready.move_value[0]
    assert by_chains(plan, adjacency, HARD, whole=True) == 3
    assert plan.left[0] == pytest.approx(0.5 * ready.move_value[0])


def test_without_a_hard_measure_there_is_nothing_to_mend():
    problem, labels, adjacency = road([11, 9], soft=np.array([True]))
    _, plan = planned(problem, labels)
    assert by_chains(plan, adjacency, ~HARD, whole=True) == 0


def test_no_way_leads_over_what_is_fixed():
    """What is over may only be held at both ends of the road, and what is between is fixed."""
    problem, labels, adjacency = road([11, 10, 9], fixed=np.repeat([-1, 1, -1], [11, 10, 9]).astype(np.int32))
    _, plan = planned(problem, labels)
    assert by_chains(plan, adjacency, HARD, whole=True) == 0
    assert plan.labels.tolist() == labels.tolist()


@settings(max_examples=60)
@given(problems(most_units=80), st.integers(0, 2**32))
def test_less_is_out_of_the_band_and_all_else_holds(problem, seed):
    ready = scaled(problem)
    dice = np.random.default_rng(seed)
    may = ready.permitted[ready.units.kinds]
    picked = np.array([dice.choice(np.flatnonzero(row)) for row in may])
    labels = np.where(ready.movable, picked, ready.fixed).astype(np.int32)
    adjacency = problem.adjacency or adjacency_of(np.empty((0, 2), np.int32), problem.units)
    _, plan = planned(problem, labels)
    hard = ready.hard_columns(plan.loads.shape[1])
    parts = recheck.parts(adjacency, labels, problem.territories)
    out = np.maximum(plan.loads - plan.high, plan.low - plan.loads)[:, hard].clip(0).sum()
    moved = by_chains(plan, adjacency, hard, whole=True)
    after = make_plan(ready, plan.labels.copy())
    for name in ("weight", "sums", "loads", "held"):
        np.testing.assert_allclose(getattr(plan, name), getattr(after, name), rtol=1e-9, atol=1e-9)
    left = np.maximum(plan.loads - plan.high, plan.low - plan.loads)[:, hard].clip(0).sum()
    assert left < out if moved else plan.labels.tolist() == labels.tolist()
    assert (ready.permitted[ready.units.kinds, plan.labels] | ~ready.movable).all()
    assert (plan.labels[~ready.movable] == ready.fixed[~ready.movable]).all()
    assert (recheck.parts(adjacency, plan.labels, problem.territories) <= parts).all()
    assert violation(plan, hard).shape == (problem.territories,)
