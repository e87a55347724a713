"""The bound against other people's solvers at the proposal's centres: HiGHS for the relaxation, OR-tools for flows."""

from typing import Any

import numpy as np
import pytest
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack
from scipy.spatial import cKDTree

from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import places, plain, planted


def relaxed(problem: Problem, centres: np.ndarray) -> Any:
    """Solve the transportation problem with units that may be split; the variables are in the order of units.

    The limits come in the order high, low; within each by measure, then by territory.
    """
    n, territories = problem.units, problem.territories
    apart = ((problem.xy[:, None] - centres) ** 2).sum(axis=2) * problem.weight[:, None]
    who = np.ones((n, territories)) if problem.permitted is None else problem.permitted[problem.kinds] * 1.0
    if problem.fixed is not None:
        held = problem.fixed >= 0
        who[held] = problem.fixed[held, None] == np.arange(territories)
    loads = vstack([kron(column[None, :], eye_array(territories)) for column in problem.measures.T])
    wanted = recheck.targets(problem)
    high, low = ((1 + sign * problem.tolerance) * wanted for sign in (1, -1))
    return linprog(
        apart.ravel(),
        A_ub=vstack([loads, -loads]).tocsr(),
        b_ub=np.concatenate([high.T.ravel(), -low.T.ravel()]),
        A_eq=kron(eye_array(n), np.ones((1, territories))).tocsr(),
        b_eq=np.ones(n),
        bounds=np.column_stack([np.zeros(n * territories), who.ravel()]),
        method="highs",
    )


def asked(wish: str, seed: int) -> Problem:
    random = np.random.default_rng(seed)
    kinds = {
        "kinds": random.integers(0, 2, 150),
        "permitted": np.array([[True] * 6, [True] * 4 + [False] * 2]),
    }
    fields: dict[str, dict[str, Any]] = {
        "one measure": {},
        "two measures": {"columns": 2},
        "part-time": {"targets": np.array([[1.0], [1], [0.5], [2], [1], [0.3]])},
        "home": {"homes": random.uniform(0, 100, (6, 2)), "pull": 0.6},
        "kinds": kinds,
        "fixed": {
            "fixed": np.where(random.random(150) < 0.05, random.integers(0, 6, 150), -1).astype(np.int32)
        },
        "from today": {"incumbents": random.integers(0, 6, 150).astype(np.int32), "stay": 0.05},
    }
    return plain(150, 6, seed, tolerance=0.1, whole=False, **fields[wish])


@pytest.mark.parametrize(
    "wish", ["one measure", "two measures", "part-time", "home", "kinds", "fixed", "from today"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_bound_is_the_relaxation_of_highs_or_just_below_it(wish, seed):
    problem = asked(wish, seed)
    found = propose(problem)
    best = relaxed(problem, found.centres)
    assert best.status == 0
    assert found.bound <= best.fun * (1 + 1e-7)
    assert found.bound >= best.fun * 0.99
    assert found.feasible
    assert found.cost >= best.fun * (1 - 1e-7)


def test_the_bound_is_the_relaxation_where_half_of_the_units_weigh_nothing():
    """What weighs nothing is taken to weigh a millionth, so that it has a place."""
    random = np.random.default_rng(15)
    problem = plain(
        280,
        6,
        15,
        columns=3,
        tolerance=0.1,
        whole=False,
        weight=np.where(random.random(280) < 0.5, 0.0, 1.0),
        kinds=random.integers(0, 2, 280),
        permitted=np.array([[True] * 6, [True] * 3 + [False] * 3]),
    )
    found = propose(problem)
    best = relaxed(problem, found.centres)
    assert best.status == 0
    assert best.fun * 0.99 <= found.bound <= best.fun * (1 + 1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_never_above_a_plan_within_the_tolerances_at_the_same_centres(seed):
    """The planted plan is far from the proposal's: a bound that is a guess at its own plan alone would fail."""
    problem, other = planted(seed)
    found = propose(problem)
    assert found.bound <= recheck.cost(problem, other, found.centres) * (1 + 1e-9)


def flow(problem: Problem, centres: np.ndarray, low: int, high: int) -> float:
    """Return the cost, in km², of the best plan with low to high units per territory, all alike."""
    n, territories = problem.units, problem.territories
    scale = 1e4
    apart = np.rint(((problem.xy[:, None] - centres) ** 2).sum(axis=2) * scale).astype(np.int64)
    graph = SimpleMinCostFlow()
    unit, territory = np.divmod(np.arange(n * territories), territories)
    graph.add_arcs_with_capacity_and_unit_cost(
        unit, n + territory, np.ones(n * territories, np.int64), apart.ravel()
    )
    sink, each = n + territories, np.arange(territories)
    # The first units of each territory are worth more than any distance, so that all get them.
    prize = int(apart.max()) * 2
    for room, price in ((low, -prize), (high - low, 0)):
        graph.add_arcs_with_capacity_and_unit_cost(
            n + each, np.full(territories, sink), np.full(territories, room), np.full(territories, price)
        )
    graph.set_nodes_supplies(np.arange(n), np.ones(n, np.int64))
    graph.set_node_supply(sink, -n)
    assert graph.solve() == graph.OPTIMAL
    return (graph.optimal_cost() + prize * low * territories) / scale


@pytest.mark.parametrize("shape", ["even", "clusters"])
def test_a_thousand_units_cost_what_min_cost_flow_finds(shape):
    """Of units all alike the relaxation has a whole solution: bound, flow and plan have to meet."""
    xy = places(np.random.default_rng(3), shape, 1000)
    problem = plain(
        1000, 8, xy=xy, weight=np.ones(1000), measures=np.ones((1000, 1)), tolerance=0.04, whole=False
    )
    found = propose(problem)
    best = flow(problem, found.centres, 120, 130)
    assert found.feasible
    assert found.bound <= best * (1 + 1e-6)
    assert found.bound >= best * 0.999
    assert best * (1 - 1e-6) <= found.cost <= best * 1.005


def test_the_prices_of_what_binds_are_the_relaxations():
    """Per share of a target that a limit gives way: that is what the marginals of HiGHS are, times target over cost."""
    problem = plain(
        900, 6, 5, whole=False, tolerance=0.03, targets=np.array([[1.0], [2], [0.5], [1], [3], [1]])
    )
    found = propose(problem)
    best = relaxed(problem, found.centres)
    high, low = -best.ineqlin.marginals.reshape(2, 6)
    price = (high - low) * recheck.targets(problem)[:, 0] / found.cost
    told = np.zeros(6)
    for binding in found.binding:
        told[binding.territory] = binding.price * (1 if binding.side == "high" else -1)
    assert np.abs(told).max() > 0.05
    np.testing.assert_allclose(told, price, atol=0.15 * np.abs(price).max())


def test_the_bound_of_more_than_a_thousand_territories_is_near_the_plan():
    """They are cut by regions, whose prices tell nothing of each other: the bound has to be found from nothing."""
    xy = places(np.random.default_rng(4), "clusters", 12_000)
    problem = plain(12_000, 1_020, xy=xy, tolerance=0.1)
    found = propose(problem)
    assert found.feasible
    nearest = cKDTree(found.centres).query(xy)[0] ** 2
    assert (problem.weight * nearest).sum() < found.bound < found.cost
    assert found.gap is not None
    assert found.gap < 0.035
