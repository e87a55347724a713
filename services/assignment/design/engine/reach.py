"""How far off balance every plan is, whatever it looks like: for units too large, islands, or who may hold what."""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from services.assignment.design.engine.arrays import Floats, Integers
from services.assignment.design.engine.contiguity import components
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.scaled import Scaled

_MOST_VARIABLES = 50_000


def least_deviation(problem: Problem, scaled: Scaled) -> Floats:
    """Return what the deviation of each measure, shape (A,), cannot get below."""
    tolerance = np.broadcast_to(problem.tolerance, scaled.oversize.shape)
    found = np.where(scaled.oversize > 0, scaled.oversize + tolerance, 0.0)
    for a in range(len(found)):
        found[a] = max(found[a], _by_who_may(problem, scaled, a), _by_islands(problem, scaled, a))
    return found


def _by_who_may(problem: Problem, scaled: Scaled, measure: int) -> float:
    """Return the least deviation if units could be split, by a linear programme over kinds and territories."""
    territories = scaled.territories
    kind = scaled.units.kinds + len(scaled.permitted) * (1 + scaled.fixed.astype(np.int64))
    kinds, group = np.unique(kind, return_inverse=True)
    if (len(kinds) == 1 and scaled.permitted.all()) or len(kinds) * territories > _MOST_VARIABLES:
        return 0.0
    may = scaled.permitted[kinds % len(scaled.permitted)].copy()
    holder = kinds // len(scaled.permitted) - 1
    may[holder >= 0] = False
    may[np.flatnonzero(holder >= 0), holder[holder >= 0]] = True
    load = np.bincount(group, problem.measures[:, measure])
    target = problem.targets[:, measure] / problem.targets[:, measure].sum() * load.sum()
    g, j = np.nonzero(may)
    if load.sum() <= 0:
        return 0.0
    flow = np.arange(len(g))
    whole = coo_matrix((np.ones(len(g)), (g, flow)), shape=(len(kinds), len(g) + 1))
    # load_j - t target_j <= target_j and -load_j - t target_j <= -target_j
    each = np.arange(territories)
    last = np.full(territories, len(g))
    rows = np.concatenate([j, each, territories + j, territories + each])
    columns = np.concatenate([flow, last, flow, last])
    values = np.concatenate([np.ones(len(g)), -target, -np.ones(len(g)), -target])
    limits = coo_matrix((values, (rows, columns)), shape=(2 * territories, len(g) + 1))
    answer = linprog(
        np.append(np.zeros(len(g)), 1.0), limits, np.concatenate([target, -target]), whole, load, method="highs"
    )
    return max(float(answer.fun), 0.0) if answer.success else 0.0


def _by_islands(problem: Problem, scaled: Scaled, measure: int) -> float:
    """Return the least deviation if each territory has to lie on one island and all have the same target."""
    target = scaled.target[:, measure]
    if problem.adjacency is None or np.ptp(target) > 1e-9:
        return 0.0
    island, count = components(problem.adjacency, np.zeros(problem.units, np.int32))
    load = np.bincount(island, scaled.units.measures[:, measure], count) / target[0]
    if count == 1 or count * len(target) > _MOST_VARIABLES:
        return 0.0
    return _shared(load, len(target))


def _shared(load: Floats, territories: int) -> float:
    """Return the least largest |load / number - 1| over ways to give every island a number of territories, at least one.

    load (islands,) in mean territories. By dynamic programming over islands.
    """
    best = np.full(territories + 1, np.inf)
    best[0] = 0.0
    number: Integers = np.arange(1, territories + 1)
    for amount in load:
        off = np.abs(amount / number - 1)
        after = np.full(territories + 1, np.inf)
        for used in np.flatnonzero(np.isfinite(best)):
            room = territories - used
            if room > 0:
                cost = np.maximum(best[used], off[:room])
                after[used + 1 :] = np.minimum(after[used + 1 :], cost)
        best = after
    return float(best[territories]) if np.isfinite(best[territories]) else 0.0
