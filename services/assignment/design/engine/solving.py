"""From a problem to a proposal."""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from services.assignment.design.engine.balancing import Balanced, Free, greenfield
from services.assignment.design.engine.contiguity import Adjacency
from services.assignment.design.engine.finishing import finished, make_plan
from services.assignment.design.engine.naming import named
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.plan import Plan, tally
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Stage, Watcher, unwatched
from services.assignment.design.engine.realigning import bonuses, realigned
from services.assignment.design.engine.reporting import report
from services.assignment.design.engine.scaled import Scaled, scaled

__all__ = ["propose"]

_BUDGET_TRIES = 7
_FIRST_STAY = 0.5


def propose(problem: Problem, effort: Effort | None = None, watch: Watcher = unwatched) -> Proposal:
    """Put every unit into a territory. Raise WrongProblemError for a problem that makes no sense.

    From scratch, named after today's territories where there are any; or, with `stay` above 0 or `most_moved` below 1, from
    today's territories. Equal problems and efforts give equal proposals, on one thread or many.
    """
    # The kernels have their own threads; those of the linear algebra would spin beside them, for matrices this small.
    with threadpool_limits(1, user_api="blas"):
        return _propose(problem, effort or Effort(), watch)


def _propose(problem: Problem, effort: Effort, watch: Watcher) -> Proposal:
    watch(Stage.PREPARE, 0.0, None)
    ready = scaled(problem)
    adjacency = problem.adjacency or neighbours(ready.units.xy)
    random = np.random.default_rng([effort.seed, 1])
    if ready.territories == 1 or not ready.movable.any():
        alone = np.where(ready.movable, 0, ready.fixed).astype(np.int32)
        plan, prices = make_plan(ready, alone), np.zeros_like(ready.band.low)
    elif problem.incumbents is not None and (problem.stay > 0 or problem.most_moved < 1):
        ready, plan, prices = _from_today(problem, ready, adjacency, effort, random, watch)
    else:
        free = Free(ready)
        balanced = greenfield(ready, free, effort, watch)
        whole = problem.adjacency is not None
        plan = finished(ready, balanced, adjacency, random, watch, whole=whole, lumpy=free.lumpy())
        prices = balanced.prices
        plan, prices = _renamed(plan, prices, ready)
    watch(Stage.REPORT, 0.0, plan.labels)
    return report(problem, ready, Free(ready), plan, problem.adjacency, effort, prices)


def _renamed(plan: Plan, prices: np.ndarray, ready: Scaled) -> tuple[Plan, np.ndarray]:
    labels = named(plan.labels, ready)
    name = np.arange(ready.territories)
    name[plan.labels] = labels
    left = np.setdiff1d(np.arange(ready.territories), labels)
    empty = np.setdiff1d(np.arange(ready.territories), plan.labels)
    name[empty] = left
    renamed = np.empty_like(prices)
    renamed[name] = prices
    plan.labels[:] = labels
    tally(plan)
    return plan, renamed


def _from_today(
    problem: Problem, ready: Scaled, adjacency: Adjacency, effort: Effort, random: np.random.Generator, watch: Watcher
) -> tuple[Scaled, Plan, np.ndarray]:
    """Realign at the cost of a move; if more moves than the budget allows, at the least cost that keeps to it."""

    def at(stay: float) -> tuple[float, Scaled, Plan, Balanced]:
        dear = replace(ready, units=ready.units._replace(bonus=bonuses(ready, stay)))
        balanced = realigned(dear, Free(dear), effort.rounds // 2, watch)
        whole = problem.adjacency is not None
        plan = finished(dear, balanced, adjacency, random, watch, whole=whole, lumpy=False)
        known = dear.units.owner >= 0
        gone = known & (plan.labels != dear.units.owner)
        value = dear.move_value
        return float(value[gone].sum() / max(value[known].sum(), 1e-300)), dear, plan, balanced

    found = at(problem.stay)
    low, high = problem.stay, np.inf
    best = found
    for _ in range(_BUDGET_TRIES if found[0] > problem.most_moved else 0):
        stay = max(2 * low, _FIRST_STAY) if high == np.inf else (low + high) / 2
        found = at(stay)
        if found[0] > problem.most_moved:
            low = stay
            best = found if best[0] > problem.most_moved and found[0] < best[0] else best
        else:
            high, best = stay, found
    return best[1], best[2], best[3].prices
