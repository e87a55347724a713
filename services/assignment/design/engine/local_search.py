"""Moves single units over borders while that saves travel or mends balance, and keeps territories in one part."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.plan import Plan, band_change, move, stay_change, travel_change

# How many units are looked at to find that a territory stays whole; a detour longer than that counts as none.
_LOOKS = 2_000


def improve(plan: Plan, adjacency: Adjacency, *, whole: bool, looks: int) -> int:
    """Move units of the plan until no move is worth it, in at most so many looks at a unit; return how many moved.

    Without `whole`, adjacency only says where a unit may go, and territories may fall apart.
    """
    return _improve(plan, adjacency.starts, adjacency.targets, whole, looks)


@compiled
def stays_whole(
    i: int, labels: Labels, starts: Integers, targets: Labels, mark: Integers, stamp: int, queue: Integers
) -> bool:
    """Tell whether i's neighbours in its territory hang together without it, as far as _LOOKS units tell.

    mark (n,) is below stamp; of i's neighbours in its territory it becomes stamp, and stamp + 1 when reached.
    """
    j = labels[i]
    wanted = 0
    first = -1
    for e in range(starts[i], starts[i + 1]):
        o = targets[e]
        if labels[o] == j and o != i and mark[o] != stamp:
            mark[o] = stamp
            wanted += 1
            first = o
    if wanted <= 1:
        return True
    mark[i] = stamp + 1
    mark[first] = stamp + 1
    queue[0] = first
    head, tail, reached = 0, 1, 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(starts[u], starts[u + 1]):
            o = targets[e]
            if labels[o] != j or mark[o] == stamp + 1:
                continue
            if mark[o] == stamp:
                reached += 1
                if reached == wanted:
                    return True
            if tail == len(queue):
                return False
            mark[o] = stamp + 1
            queue[tail] = o
            tail += 1
    return False


@compiled
def _best_move(plan: Plan, i: int, starts: Integers, targets: Labels) -> int:
    """Return the territory to which the unit goes at the greatest gain, -1 if there is none."""
    j = plan.labels[i]
    leaving = travel_change(plan, j, i, -1.0) + band_change(plan, j, i, -1.0)
    best, least = -1, -1e-9 * (abs(leaving) + 1e-300)
    tried = -1
    for e in range(starts[i], starts[i + 1]):
        k = plan.labels[targets[e]]
        if k == j or k == tried or k == best or not plan.permitted[plan.units.kinds[i], k]:
            continue
        tried = k
        change = leaving + travel_change(plan, k, i, 1.0) + stay_change(plan, i, j, k)
        if change + min(0.0, _most_mended(plan, k)) >= least:
            continue
        change += band_change(plan, k, i, 1.0)
        if change < least:
            best, least = k, change
    return best


@compiled
def _most_mended(plan: Plan, k: int) -> float:
    """Return zero if territory k is short of nothing, else minus infinity: joining it may then mend balance."""
    for a in range(plan.loads.shape[1]):
        if plan.loads[k, a] < plan.low[k, a]:
            return -np.inf
    return 0.0


@compiled
def _improve(plan: Plan, starts: Integers, targets: Labels, whole: bool, looks: int) -> int:  # noqa: FBT001
    labels = plan.labels
    n = len(labels)
    mark = np.zeros(n, np.int64)
    queue = np.empty(_LOOKS, np.int64)
    ring = np.empty(n, np.int64)
    waits = np.zeros(n, np.bool_)
    head, size = 0, 0
    for i in range(n):
        for e in range(starts[i], starts[i + 1]):
            if labels[targets[e]] != labels[i]:
                ring[size] = i
                size += 1
                waits[i] = True
                break
    stamp = 1
    moves = 0
    while size > 0 and looks > 0:
        looks -= 1
        i = ring[head]
        head = (head + 1) % n
        size -= 1
        waits[i] = False
        if not plan.movable[i] or plan.held[labels[i]] <= 1:
            continue
        if plan.units.owner[i] == labels[i] and plan.value[i] > plan.left[0]:
            continue
        best = _best_move(plan, i, starts, targets)
        if best < 0:
            continue
        stamp += 2
        if whole and not stays_whole(i, labels, starts, targets, mark, stamp, queue):
            continue
        move(plan, i, best)
        moves += 1
        for e in range(starts[i] - 1, starts[i + 1]):
            o = i if e < starts[i] else targets[e]
            if not waits[o]:
                ring[(head + size) % n] = o
                size += 1
                waits[o] = True
    return moves
