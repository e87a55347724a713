"""Plans that exist and that centres and prices miss: all of them where units are few, and other beginnings where not."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.balancing import Balanced, Free
from services.assignment.design.engine.choice import Known
from services.assignment.design.engine.contiguity import components, stray_parts
from services.assignment.design.engine.exact import FEW, exactly
from services.assignment.design.engine.finishing import finished, hopeless, make_plan
from services.assignment.design.engine.naming import names
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Stage, Watcher
from services.assignment.design.engine.reach import least_deviation
from services.assignment.design.engine.realigning import priced
from services.assignment.design.engine.resplits import travel, violation
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.transport import transport

_OUT = 1e-6
_ROUNDS = 4


def best_of_few(problem: Problem, ready: Scaled, adjacency: Adjacency) -> Plan | Known:
    """Return the best plan of all where units are so few that all can be looked through, or that there is none."""
    if len(ready.movable) > FEW or hopeless(ready):
        return Known.UNKNOWN
    return _looked_through(problem, ready, adjacency)


def is_vain(problem: Problem, ready: Scaled) -> bool:
    """Tell whether it is known of islands, or of who may hold what, that no plan is within the hard tolerances."""
    tolerance = np.broadcast_to(problem.tolerance, ready.hard.shape)
    return bool((least_deviation(problem, ready) > tolerance + _OUT)[ready.hard].any())


def rescued(
    problem: Problem,
    ready: Scaled,
    free: Free,
    adjacency: Adjacency,
    plan: Plan,
    prices: Floats,
    random: np.random.Generator,
    watch: Watcher,
) -> tuple[Plan, Floats]:
    """Return the plan and its prices (K, A), or better ones if the plan is out of a hard limit and others are not, or less."""
    whole = problem.adjacency is not None
    if hopeless(ready) or not ready.movable.any() or not _misses(plan, ready, adjacency, whole=whole):
        return plan, prices
    watch(Stage.IMPROVE, 1.0, plan.labels)
    found = _looked_through(problem, ready, adjacency)
    if isinstance(found, Plan):
        return found, prices
    if is_from_today(problem, ready):
        return plan, prices
    return _by_transport(ready, free, adjacency, plan, prices, random, watch, whole=whole)


def is_from_today(problem: Problem, ready: Scaled) -> bool:
    """Tell whether moves count: there are owners, and leaving them costs or is limited."""
    known = bool((ready.units.owner >= 0).any())
    return known and (problem.stay > 0 or problem.most_moved < 1)


def _looked_through(problem: Problem, ready: Scaled, adjacency: Adjacency) -> Plan | Known:
    whole = problem.adjacency is not None
    if not is_from_today(problem, ready):
        labels = exactly(ready, adjacency, whole=whole)
        return labels if isinstance(labels, Known) else make_plan(ready, names(labels, ready)[labels])
    value = float(ready.move_value[ready.units.owner >= 0].sum())
    budget = np.inf if problem.most_moved >= 1 else problem.most_moved * value * (1 + 1e-9)
    labels = exactly(priced(ready, problem.stay), adjacency, whole=whole, budget=budget, apart=True)
    return labels if isinstance(labels, Known) else make_plan(ready, labels)


def _by_transport(
    ready: Scaled,
    free: Free,
    adjacency: Adjacency,
    plan: Plan,
    prices: Floats,
    random: np.random.Generator,
    watch: Watcher,
    *,
    whole: bool,
) -> tuple[Plan, Floats]:
    """Begin anew from the cheapest sharing out to the plan's middles, a few times over, until nothing is out."""
    hard = ready.hard_columns(plan.loads.shape[1])
    best, best_prices = plan, prices

    def only_stops(_stage: Stage, _share: float, _labels: object) -> None:
        watch(Stage.IMPROVE, 1.0, None)

    for number in range(_ROUNDS):
        middles = plan.sums / np.maximum(plan.weight, 1e-300)[:, None]
        centres = free.anchors.without_held().of(np.column_stack([plan.weight, plan.sums]), middles)
        narrow = free.band.narrowed(1.0 if number % 2 else free.room())
        shared = transport(free.units, narrow, centres, free.permitted, undivided=not whole)
        if shared is None:
            continue
        balanced = Balanced(free.all_labels(shared.labels, ready), centres, shared.prices)
        last = number == _ROUNDS - 1
        plan = finished(ready, balanced, adjacency, random, only_stops, whole=whole, thorough=last)
        if _score(plan, ready, adjacency, hard, whole=whole) < _score(
            best, ready, adjacency, hard, whole=whole
        ):
            best, best_prices = plan, shared.prices
        if not _misses(best, ready, adjacency, whole=whole):
            break
    return best, best_prices


def _score(
    plan: Plan, ready: Scaled, adjacency: Adjacency, hard: np.ndarray, *, whole: bool
) -> tuple[float, int, float]:
    out = round(float(violation(plan, hard).sum()), 9)
    return out, _broken(plan, ready, adjacency) if whole else 0, float(travel(plan).sum())


def _misses(plan: Plan, ready: Scaled, adjacency: Adjacency, *, whole: bool) -> bool:
    """Tell whether a plan is out of a hard limit: loads and sizes, an empty territory, or one in parts."""
    hard = ready.hard_columns(plan.loads.shape[1])
    out = violation(plan, hard).max() > _OUT or (plan.held == 0).any()
    return bool(out or (whole and _broken(plan, ready, adjacency)))


def _broken(plan: Plan, ready: Scaled, adjacency: Adjacency) -> int:
    """Return how many parts are beside the heaviest of their territory though nothing in them has to be there."""
    component, count = components(adjacency, plan.labels)
    stray = stray_parts(component, count, plan.labels, plan.units.weight)
    stray[component[~ready.movable]] = False
    return int(stray.sum())
