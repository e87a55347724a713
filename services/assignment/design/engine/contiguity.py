"""Which parts of a territory hang together, and giving stray parts to a neighbour."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.level import Units


def components(adjacency: Adjacency, labels: Labels) -> tuple[Labels, int]:
    """Return a number for each unit that it shares with those it hangs together with in its territory; and how many."""
    return _components(adjacency.starts, adjacency.targets, labels)


def parts_of(adjacency: Adjacency, labels: Labels, territories: int) -> Integers:
    """Return in how many parts each territory is, shape (K,)."""
    component, count = components(adjacency, labels)
    owner = np.full(count, -1, np.int32)
    owner[component] = labels
    return np.bincount(owner, minlength=territories)


def reconnect(
    adjacency: Adjacency,
    units: Units,
    labels: Labels,
    centres: Floats,
    prices: Floats,
    permitted: Flags,
    movable: Flags,
) -> Labels:
    """Return labels with one part per territory, its heaviest; each other part goes to the neighbour where it is cheapest.

    centres (K, 2) and prices (K, A) say what is cheap. A part stays stray if a unit of it has to stay, if it touches
    nobody else, or nobody who may hold all of it.
    """
    out = labels.copy()
    # A part may touch other stray parts alone: it is settled once they are.
    for _ in range(100):
        component, count = components(adjacency, out)
        stray = stray_parts(component, count, out, units.weight)
        stray[component[~movable]] = False
        if not stray.any():
            break
        moved = _give_away(
            units, adjacency.starts, adjacency.targets, out, component, stray, centres, prices, permitted
        )
        if not moved:
            break
    return out


def stray_parts(component: Labels, count: int, labels: Labels, weight: Floats) -> Flags:
    """Tell which parts are not the heaviest of their territory, the first of those that weigh the same."""
    heavy = np.bincount(component, weight, count)
    owner = np.full(count, -1, np.int32)
    owner[component] = labels
    order = np.lexsort((np.arange(count), -heavy, owner))
    _, first = np.unique(owner[order], return_index=True)
    stray = np.ones(count, np.bool_)
    stray[order[first]] = False
    return stray


def broken_territories(
    adjacency: Adjacency, labels: Labels, weight: Floats, movable: Flags, territories: int
) -> Flags:
    """Tell which territories have a part beside their heaviest in which no unit has to be, shape (K,)."""
    component, count = components(adjacency, labels)
    stray = stray_parts(component, count, labels, weight)
    stray[component[~movable]] = False
    return np.bincount(labels[stray[component]], minlength=territories) > 0


@compiled
def _components(starts: Integers, targets: Labels, labels: Labels) -> tuple[Labels, int]:
    n = len(labels)
    found = np.full(n, -1, np.int32)
    stack = np.empty(n, np.int32)
    count = 0
    for seed in range(n):
        if found[seed] >= 0:
            continue
        found[seed] = count
        stack[0] = seed
        top = 1
        while top > 0:
            top -= 1
            i = stack[top]
            for e in range(starts[i], starts[i + 1]):
                j = targets[e]
                if found[j] < 0 and labels[j] == labels[i]:
                    found[j] = count
                    stack[top] = j
                    top += 1
        count += 1
    return found, count


@compiled
def _give_away(
    units: Units,
    starts: Integers,
    targets: Labels,
    labels: Labels,
    component: Labels,
    stray: Flags,
    centres: Floats,
    prices: Floats,
    permitted: Flags,
) -> int:
    """Give each stray part that touches a kept one to the cheapest such territory; return how many units went."""
    n, territories = len(labels), len(centres)
    order = np.argsort(component)
    given = labels.copy()
    pay = np.empty(territories)
    touches = np.zeros(territories, np.int64)
    moved, at, stamp = 0, 0, 0
    while at < n:
        part, end = component[order[at]], at
        while end < n and component[order[end]] == part:
            end += 1
        if not stray[part]:
            at = end
            continue
        stamp += 1
        around = np.empty(territories, np.int32)
        count = 0
        for u in range(at, end):
            i = order[u]
            for e in range(starts[i], starts[i + 1]):
                k = labels[targets[e]]
                if not stray[component[targets[e]]] and k != labels[i] and touches[k] != stamp:
                    touches[k] = stamp
                    pay[k] = 0.0
                    around[count] = k
                    count += 1
        for u in range(at, end):
            i = order[u]
            w = units.weight[i]
            for t in range(count):
                k = around[t]
                pay[k] += w * ((units.xy[i, 0] - centres[k, 0]) ** 2 + (units.xy[i, 1] - centres[k, 1]) ** 2)
                for a in range(prices.shape[1]):
                    pay[k] += prices[k, a] * units.measures[i, a]
                if units.owner[i] == k:
                    pay[k] -= w * units.bonus[i]
                if not permitted[units.kinds[i], k]:
                    pay[k] = np.inf
        best, least = -1, np.inf
        for t in range(count):
            if pay[around[t]] < least:
                best, least = around[t], pay[around[t]]
        if best >= 0:
            for u in range(at, end):
                given[order[u]] = best
            moved += end - at
        at = end
    labels[:] = given
    return moved
