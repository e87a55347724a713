"""Two neighbouring territories merged and cut anew along a random spanning tree, where units are too lumpy for other moves.

Every edge of the tree is a way to cut, both sides hang together by construction, and each is scored exactly. A worse
cut is taken now and then (annealing), the best plan seen is kept. Source: ReCom (DeFord, Duchin, Solomon, Harvard Data
Science Review 3(1), 2021), there as a random walk over plans, here as a move of a search.
"""

from collections.abc import Callable

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers
from services.assignment.design.engine.local_search import improve
from services.assignment.design.engine.plan import Plan, tally
from services.assignment.design.engine.tree_cuts import cut_pairs

_TREES = 8
_MOST_PAIRS = 200
_EXACT = 1e-9


def violation(plan: Plan, hard: Flags) -> Floats:
    """Return how far each territory is out of its band, shape (K,), at worst of the hard measures (A,)."""
    over = np.maximum(plan.loads - plan.high, plan.low - plan.loads)
    return np.asarray(np.maximum(over[:, hard].max(axis=1, initial=0.0), 0.0), np.float64)


def travel(plan: Plan) -> Floats:
    """Return the plan's travel, shape (K,), in scaled weight times squared km."""
    units = plan.units
    held = np.maximum(plan.weight, 1e-300)[:, None]
    means = plan.sums / held
    off = ((units.xy - means[plan.labels]) ** 2).sum(axis=1)
    out = np.asarray(np.bincount(plan.labels, units.weight * off, len(plan.weight)), np.float64)
    if plan.pull > 0.0:
        home = np.nan_to_num(((means - plan.homes) ** 2).sum(axis=1))
        out = out + plan.pull**2 * plan.weight * home
    return out


def touching_pairs(plan: Plan, adjacency: Adjacency) -> Integers:
    """Return the pairs of territories that touch, shape (pairs, 2), smaller first."""
    source = np.repeat(np.arange(len(plan.labels)), np.diff(adjacency.starts))
    one, other = plan.labels[source].astype(np.int64), plan.labels[adjacency.targets].astype(np.int64)
    key = np.unique(one[one < other] * len(plan.weight) + other[one < other])
    return np.column_stack([key // len(plan.weight), key % len(plan.weight)])


def resplit(
    plan: Plan,
    adjacency: Adjacency,
    random: np.random.Generator,
    hard: Flags,
    tick: Callable[[], None],
    *,
    rounds: int,
    patience: int,
    temperature: float,
    whole: bool,
    everywhere: bool = False,
) -> bool:
    """Cut pairs around territories that are out of their band anew, until none is; tell whether none is.

    temperature: by which share of a pair's travel a worse cut may be dearer, on average, at the beginning. everywhere:
    cut all pairs, in all rounds, to save travel. patience: after how many rounds of nothing better it ends. tick is called
    before every round.
    """
    best = (violation(plan, hard).sum(), travel(plan).sum(), plan.labels.copy())
    better = 0
    for round_ in range(rounds):
        tick()
        near = violation(plan, hard) > _EXACT
        if not everywhere and not near.any():
            break
        pairs = touching_pairs(plan, adjacency)
        near[pairs[near[pairs].any(axis=1)].ravel()] = True
        pairs = random.permutation(pairs[near[pairs].any(axis=1) | everywhere])[:_MOST_PAIRS]
        cools = temperature * (1 - round_ / rounds) ** 2
        slack = cools * travel(plan)[pairs].sum(axis=1) * random.exponential(size=len(pairs))
        seeds = random.integers(1 << 31, size=len(pairs))
        cut_pairs(plan, adjacency.starts, adjacency.targets, pairs, slack, seeds, _TREES)
        tally(plan)
        improve(plan, adjacency, whole=whole, looks=20 * len(plan.labels))
        score = (violation(plan, hard).sum(), travel(plan).sum())
        # By more than rounding: the same territories with their names changed about are no better.
        shorter = score[1] < best[1] * (1 - _EXACT)
        if score[0] < best[0] - _EXACT or (score[0] <= best[0] + _EXACT and shorter):
            best = (*score, plan.labels.copy())
            better = round_
        elif round_ - better >= patience:
            break
    plan.labels[:] = best[2]
    tally(plan)
    return bool(best[0] <= _EXACT * len(plan.weight))
