"""From a problem to a proposal."""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.balancing import Balanced, Free, are_many, beginnings, fine, nested
from services.assignment.design.engine.checks import check_effort
from services.assignment.design.engine.choice import Known
from services.assignment.design.engine.contiguity import broken_territories
from services.assignment.design.engine.finishing import finished, hopeless, improve_lumpy, make_plan, search
from services.assignment.design.engine.missed import best_of_few, is_from_today, is_vain, rescued
from services.assignment.design.engine.naming import names
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal, Stage, Watcher, unseen, unwatched
from services.assignment.design.engine.realigning import from_today
from services.assignment.design.engine.reporting import report
from services.assignment.design.engine.resplits import travel, violation
from services.assignment.design.engine.scaled import Scaled, scaled

__all__ = ["propose"]

# How many beginnings are carried through where one is not enough.
_CARRIED = 4
_MANY_UNITS = 5_000
# Of so few units other beginnings are carried through, too, whatever comes of the first.
_FEW = 5_000


def propose(problem: Problem, effort: Effort | None = None, watch: Watcher = unwatched) -> Proposal:
    """Put every unit into a territory. Raise WrongProblemError for a problem that makes no sense.

    From scratch, named after today's territories where there are any; or, with `stay` above 0 or `most_moved` below 1, from
    today's territories. Equal problems and efforts give equal proposals, on one thread or many.
    """

    def show(stage: Stage, share: float, labels: Labels | None) -> None:
        watch(stage, share, None if labels is None else labels.copy())

    effort = effort or Effort()
    check_effort(effort)
    # The kernels have their own threads; those of the linear algebra would spin beside them, for matrices this small.
    with threadpool_limits(1, user_api="blas"):
        show(Stage.PREPARE, 0.0, None)
        ready = scaled(problem)
        adjacency = problem.adjacency or neighbours(ready.units.xy)
        free = Free(ready)
        plan, prices = _renamed(*_solved(problem, ready, free, adjacency, effort, show), ready)
        show(Stage.REPORT, 0.0, plan.labels)
        return report(problem, ready, free, plan, effort, prices, adjacency)


def _solved(
    problem: Problem, ready: Scaled, free: Free, adjacency: Adjacency, effort: Effort, watch: Watcher
) -> tuple[Plan, Floats]:
    """Return a plan and the prices (K, A) that it comes from."""
    random = np.random.default_rng([effort.seed, 1])
    if ready.territories == 1 or not ready.movable.any():
        alone = np.where(ready.movable, 0, ready.fixed).astype(np.int32)
        return make_plan(ready, alone), np.zeros_like(ready.band.low)
    best = best_of_few(problem, ready, adjacency)
    if isinstance(best, Plan):
        return best, np.zeros_like(ready.band.low)
    if is_from_today(problem, ready):
        plan, prices = from_today(problem, ready, adjacency, effort, random, watch)
    else:
        carried = 1 if best is Known.IMPOSSIBLE or is_vain(problem, ready) else _CARRIED
        plan, prices = _from_scratch(problem, ready, free, adjacency, effort, random, watch, carried)
    return rescued(problem, ready, free, adjacency, plan, prices, random, watch)


def _from_scratch(
    problem: Problem,
    ready: Scaled,
    free: Free,
    adjacency: Adjacency,
    effort: Effort,
    random: np.random.Generator,
    watch: Watcher,
    carried: int,
) -> tuple[Plan, Floats]:
    """Carry the most promising beginning through; where units are lumpy or few, or balance was not found, others as well."""
    whole = problem.adjacency is not None
    if are_many(ready, free):
        balanced = _named(nested(ready, free, effort, watch), ready)
        return finished(ready, balanced, adjacency, random, watch, whole=whole), balanced.prices
    best: tuple[tuple[float, int, float], Plan, Balanced] | None = None
    few = len(ready.movable) <= _FEW
    begun = beginnings(ready, free, effort, watch)
    # Those of small units that are few are soon carried through, all of them.
    most = len(begun) if few and carried > 1 and not free.lumpy() else carried
    for centres, prices in begun[:most]:
        seen = watch if best is None else unseen(watch)
        balanced = _named(fine(ready, free, centres, prices, seen), ready)
        plan = finished(ready, balanced, adjacency, random, seen, whole=whole, thorough=False)
        # What brings a plan into the band costs travel.
        if best is None or best[0][0] > 0.0 or _travel(plan) < best[0][2]:
            search(plan, ready, adjacency, random, seen, whole=whole, brief=True)
        score = _score(plan, ready, adjacency, whole=whole)
        if best is None or score < best[0]:
            best = (score, plan, balanced)
            watch(Stage.IMPROVE, 1.0, plan.labels)
        found = best[0][:2] == (0.0, 0) and not (free.lumpy() or few)
        if found or hopeless(ready) or _are_opposed(ready, free):
            break
    if best is None:
        raise AssertionError("there is always a beginning")
    score, plan, balanced = best
    if score[0] > 0.0:
        longer = replace(balanced, labels=plan.labels)
        other = finished(ready, longer, adjacency, random, unseen(watch), whole=whole)
        plan = min(plan, other, key=lambda one: _score(one, ready, adjacency, whole=whole))
        watch(Stage.IMPROVE, 1.0, plan.labels)
    if free.lumpy() and not hopeless(ready):
        improve_lumpy(plan, ready, adjacency, random, unseen(watch), whole=whole)
    return plan, balanced.prices


def _score(plan: Plan, ready: Scaled, adjacency: Adjacency, *, whole: bool) -> tuple[float, int, float]:
    """Return how far a plan is out of its hard tolerances, how many territories are in parts, its travel: less is better."""
    hard = ready.hard_columns(plan.loads.shape[1])
    broken = 0
    if whole:
        weight, territories = plan.units.weight, ready.territories
        broken = int(broken_territories(adjacency, plan.labels, weight, ready.movable, territories).sum())
    return round(float(violation(plan, hard).sum()), 9), broken, _travel(plan)


def _travel(plan: Plan) -> float:
    """Return the travel of a plan to nine digits: one plan found twice, with other names, is no better the second time."""
    return float(f"{travel(plan).sum():.8e}")


def _renamed(plan: Plan, prices: Floats, ready: Scaled) -> tuple[Plan, Floats]:
    """Return the same with today's names where fewer units change hands for it: cutting territories anew mixes them up."""
    name = names(plan.labels, ready)
    if (name == np.arange(ready.territories)).all():
        return plan, prices
    return make_plan(ready, name[plan.labels]), prices[np.argsort(name)]


def _are_opposed(ready: Scaled, free: Free) -> bool:
    """Tell whether it is for its measures that one beginning found no balance: units so many and small allow for any other."""
    return ready.band.low.shape[1] > 1 and len(ready.movable) > _MANY_UNITS and not free.lumpy()


def _named(balanced: Balanced, ready: Scaled) -> Balanced:
    """Return the same with today's names, so that as little as possible changes hands."""
    name = names(balanced.labels, ready)
    first = np.argsort(name)
    return replace(
        balanced, labels=name[balanced.labels], centres=balanced.centres[first], prices=balanced.prices[first]
    )
