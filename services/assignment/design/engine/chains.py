"""Chains of moves: a unit over each border on the way from a territory that has too much to one that has room.

Where all neighbours are full, no move of a single unit mends anything, and a chain of them does. The way is the cheapest
one over the map of territories. Source: ejection chains (Glover, Ejection chains, reference structures and alternating
path methods for traveling salesman problems, Discrete Applied Mathematics 65, 1996).
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.local_search import stays_whole
from services.assignment.design.engine.plan import Plan, move, stay_change, travel_change

_EXACT = 1e-9
_LOOKS = 2_000
# A table of more pairs than that takes too much memory; there what is out is mended by moves and new cuts alone.
_MOST_TERRITORIES = 1_000
# How many units may be looked at, over all chains, and how many chains are tried at most.
_WORK = 4_000_000
_FEWEST_TRIES, _MOST_TRIES = 3, 400
# Chains from one territory that come to nothing before it is left as it is.
_FAILURES = 12
_ANY, _CLOSES, _OPENS = range(3)


class Edges(NamedTuple):
    """The unit (3, K, K) that is cheapest to move from a territory to another, and its cost, inf for none.

    Of all; of those that the taker has room for; of those that the giver can spare.
    """

    cost: Floats
    unit: Integers


class Step(NamedTuple):
    """A unit that goes from one territory to another."""

    unit: int
    giver: int
    taker: int


def by_chains(plan: Plan, adjacency: Adjacency, hard: Flags, *, whole: bool) -> int:
    """Mend loads of hard measures (A,) that are out of the plan's band by chains of moves; return how many units moved.

    The plan's budget of moves is kept. Every chain leaves less out of the band than there was.
    """
    territories, moved = len(plan.weight), 0
    if territories > _MOST_TERRITORIES or not hard.any():
        return 0
    edges: Edges | None = None
    left_out, barred, failures = set[int](), set[tuple[int, int]](), 0
    for _ in range(int(np.clip(_WORK / len(plan.labels), _FEWEST_TRIES, _MOST_TRIES))):
        out = _out(plan, hard)
        worst = out.max(axis=(0, 2))
        worst[list(left_out)] = 0.0
        source = int(worst.argmax())
        if worst[source] <= _EXACT:
            break
        if edges is None:
            edges = Edges(*_edges(plan, hard, adjacency.starts, adjacency.targets, whole))
        steps = _cheapest(edges, source, barred, gives=bool(out[0, source].max() >= out[1, source].max()))
        wrong = _taken(plan, steps, adjacency, hard, whole=whole) if steps else None
        if steps and wrong is None:
            moved += len(steps)
            edges, failures = None, 0
            left_out.clear()
            barred.clear()
            continue
        failures += 1
        if wrong is None or failures == _FAILURES:
            left_out.add(source)
            barred.clear()
            failures = 0
        else:
            barred.add((wrong.giver, wrong.taker))
    return moved


def _out(plan: Plan, hard: Flags) -> Floats:
    """Return how far loads of hard measures are above and below their band, shape (2, K, hard)."""
    both = np.stack([plan.loads - plan.high, plan.low - plan.loads])[:, :, hard]
    return np.asarray(np.maximum(both, 0.0))


def _cheapest(edges: Edges, source: int, barred: Collection[tuple[int, int]], *, gives: bool) -> list[Step]:
    """Return the steps of the cheapest chain from a territory, or to it, the last one first; none if there is no way.

    It ends where there is room, or something to spare. Moves that save travel cost nothing here: a way has no loops.
    """
    cost, unit = edges.cost.copy(), edges.unit
    for giver, taker in barred:
        cost[:, giver, taker] = np.inf
    ends = _CLOSES if gives else _OPENS
    onwards, ending = (cost[_ANY], cost[ends]) if gives else (cost[_ANY].T, cost[ends].T)
    territories = len(onwards)
    last = ending.argmin(axis=1)
    closing = ending[np.arange(territories), last]
    table = np.full((territories + 1, territories + 1), np.inf)
    table[:-1, :-1], table[:-1, -1] = onwards, closing
    known = np.isfinite(table)
    least = 1e-9 * float(np.abs(table[known]).max(initial=1e-300))
    graph = csr_matrix((np.maximum(table[known], 0.0) + least, np.nonzero(known)), shape=table.shape)
    far, before = dijkstra(graph, indices=source, return_predecessors=True)
    if not np.isfinite(far[-1]):
        return []
    at = int(before[-1])
    pairs = [(ends, at, int(last[at]))]
    while at != source:
        pairs.append((_ANY, int(before[at]), at))
        at = int(before[at])
    turned = [(which, *((one, other) if gives else (other, one))) for which, one, other in pairs]
    return [Step(int(unit[which, giver, taker]), giver, taker) for which, giver, taker in turned]


def _taken(plan: Plan, steps: list[Step], adjacency: Adjacency, hard: Flags, *, whole: bool) -> Step | None:
    """Take all steps and return None, or none of them and return the one that is wrong: less has to be out of the band."""
    before = float(_out(plan, hard).sum())
    wrong: Step | None = None
    done: list[Step] = []
    for step in steps:
        if not _may(plan, *step, adjacency.starts, adjacency.targets, whole):
            wrong = step
            break
        move(plan, step.unit, step.taker)
        done.append(step)
    if wrong is None and float(_out(plan, hard).sum()) >= before - _EXACT:
        wrong = steps[0]
    if wrong is not None:
        for step in reversed(done):
            move(plan, step.unit, step.giver)
    return wrong


@compiled
def _may(
    plan: Plan,
    i: int,
    giver: int,
    taker: int,
    starts: Integers,
    targets: Labels,
    whole: bool,  # noqa: FBT001
) -> bool:
    if plan.labels[i] != giver or plan.held[giver] <= 1:
        return False
    if plan.units.owner[i] == giver and plan.value[i] > plan.left[0]:
        return False
    near = False
    for e in range(starts[i], starts[i + 1]):
        near = near or plan.labels[targets[e]] == taker
    if not near:
        return False
    mark, queue = np.zeros(len(plan.labels), np.int64), np.empty(_LOOKS, np.int64)
    return not whole or stays_whole(i, plan.labels, starts, targets, mark, 1, queue)


@compiled
def _fits(plan: Plan, hard: Flags, j: int, i: int, sign: float) -> bool:
    """Tell whether territory j has room for i (sign 1), or can spare it (sign -1), in all hard measures."""
    for a in range(plan.loads.shape[1]):
        load = plan.loads[j, a] + sign * plan.units.measures[i, a]
        if hard[a] and (load > plan.high[j, a] + 1e-12 if sign > 0 else load < plan.low[j, a] - 1e-12):
            return False
    return True


@compiled
def _edges(
    plan: Plan,
    hard: Flags,
    starts: Integers,
    targets: Labels,
    whole: bool,  # noqa: FBT001
) -> tuple[Floats, Integers]:
    territories, n = len(plan.weight), len(plan.labels)
    cost = np.full((3, territories, territories), np.inf)
    unit = np.full((3, territories, territories), -1, np.int64)
    mark, queue = np.zeros(n, np.int64), np.empty(_LOOKS, np.int64)
    stamp = 1
    for i in range(n):
        j = plan.labels[i]
        if not plan.movable[i] or plan.held[j] <= 1:
            continue
        if plan.units.owner[i] == j and plan.value[i] > plan.left[0]:
            continue
        known, leaves = False, True
        tried = -1
        for e in range(starts[i], starts[i + 1]):
            k = plan.labels[targets[e]]
            if k == j or k == tried or not plan.permitted[plan.units.kinds[i], k]:
                continue
            tried = k
            dear = (
                travel_change(plan, j, i, -1.0) + travel_change(plan, k, i, 1.0) + stay_change(plan, i, j, k)
            )
            for which in range(3):
                if dear >= cost[which, j, k]:
                    continue
                if which == _CLOSES and not _fits(plan, hard, k, i, 1.0):
                    continue
                if which == _OPENS and not _fits(plan, hard, j, i, -1.0):
                    continue
                if whole and not known:
                    known = True
                    stamp += 2
                    leaves = stays_whole(i, plan.labels, starts, targets, mark, stamp, queue)
                if not leaves:
                    break
                cost[which, j, k] = dear
                unit[which, j, k] = i
            if not leaves:
                break
    return cost, unit
