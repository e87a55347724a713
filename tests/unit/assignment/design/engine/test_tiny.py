"""Cases so small that all plans can be tried: a plan is found where there is one, near the best."""

import numpy as np
import pytest

from services.assignment.design.engine.arrays import Flags, Floats
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck


def tiny(seed: int) -> Problem:
    random = np.random.default_rng(seed)
    units, territories = int(random.integers(4, 11)), int(random.integers(2, 4))
    measures = int(random.choice([1, 1, 2]))
    xy = random.uniform(0, 100, (units, 2))
    return Problem(
        xy=xy,
        weight=random.uniform(0.5, 2, units),
        measures=np.exp(random.normal(0, random.choice([0.2, 0.6]), (units, measures))),
        targets=random.uniform(0.8, 1.25, (territories, 1)) * np.ones((1, measures)),
        tolerance=np.full(measures, random.choice([0.1, 0.2])),
        adjacency=neighbours(xy) if random.random() < 0.6 else None,
    )


def wholes(problem: Problem) -> Flags:
    """Tell of every set of units, as bits, whether it hangs together."""
    n = problem.units
    whole = np.ones(1 << n, bool)
    if problem.adjacency is None:
        return whole
    starts, targets = problem.adjacency.starts, problem.adjacency.targets
    near = [sum(1 << int(other) for other in targets[starts[i] : starts[i + 1]]) for i in range(n)]
    for units in range(1, 1 << n):
        reached, grown = 0, units & -units
        while grown != reached:
            reached = grown
            for i in range(n):
                if reached >> i & 1:
                    grown |= near[i] & units
        whole[units] = reached == units
    return whole


def best_cost(problem: Problem) -> float | None:
    """Return what the best of all plans costs at its own centres; None if no plan keeps to all."""
    n, territories = problem.units, problem.territories
    members = (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(float)
    weight = members @ problem.weight
    sums = members @ (problem.xy * problem.weight[:, None])
    cost = members @ ((problem.xy**2).sum(axis=1) * problem.weight)
    cost -= (sums**2).sum(axis=1) / np.where(weight > 0, weight, 1.0)
    off = members @ problem.measures
    whole = wholes(problem) & (weight > 0)
    wanted = recheck.targets(problem)
    fits = [whole & (np.abs(off / one - 1) <= problem.tolerance + 1e-9).all(axis=1) for one in wanted]
    best = _best(fits, cost, (1 << n) - 1, territories)
    return None if np.isinf(best) else best


def _best(fits: list[Flags], cost: Floats, rest: int, territories: int) -> float:
    """Return the least cost of sharing the rest out among the first territories."""
    if territories == 1:
        return float(cost[rest]) if fits[0][rest] else np.inf
    mine = np.flatnonzero(fits[territories - 1])
    mine = mine[mine & rest == mine]
    if territories == 2:
        mine = mine[fits[0][rest ^ mine]]
        return float((cost[mine] + cost[rest ^ mine]).min(initial=np.inf))
    return min(
        (float(cost[m]) + _best(fits, cost, rest ^ int(m), territories - 1) for m in mine), default=np.inf
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_plan_is_found_where_there_is_one_and_costs_little_more_than_the_best(seed):
    problem = tiny(seed)
    best = best_cost(problem)
    found = propose(problem)
    share = problem.measures / problem.measures.sum(axis=0)
    large = (share.max(axis=0) / (problem.targets / problem.targets.sum(axis=0)).min(axis=0)).max()
    if best is None:
        assert not found.feasible
        assert found.why
        return
    assert found.feasible or large >= 0.9
    if found.feasible:
        assert best * (1 - 1e-9) <= found.cost <= best * 1.5
