"""Which parts of a territory hang together, and giving stray parts to a neighbour."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Which units touch: of unit i they are targets[starts[i]:starts[i + 1]]. Each pair is there both ways."""

    starts: Integers
    targets: Labels


def components(adjacency: Adjacency, labels: Labels) -> tuple[Labels, int]:
    """Return a number for each unit that it shares with those it hangs together with in its territory; and how many."""
    return _components(adjacency.starts, adjacency.targets, labels)


def broken(adjacency: Adjacency, labels: Labels, territories: int) -> int:
    """Return how many territories are in more than one part."""
    component, count = components(adjacency, labels)
    first = np.full(count, -1, np.int32)
    first[component] = labels
    return int((np.bincount(first, minlength=territories) > 1).sum())


def reconnect(
    adjacency: Adjacency, labels: Labels, weight: Floats, xy: Floats, centres: Floats, prices: Floats, ratio: Floats
) -> Labels:
    """Return labels with one part per territory: its heaviest; each other goes to the neighbour where it costs least.

    weight (n,), xy (n, 2), centres (K, 2), prices (K, A) and ratio (n, A) are the dual's.
    """
    out = labels.copy()
    # A part may touch other stray parts alone: it is settled once they are.
    for _ in range(100):
        component, count = components(adjacency, out)
        heavy = np.bincount(component, weight, count)
        owner = np.full(count, -1, np.int32)
        owner[component] = out
        best = np.zeros(len(centres))
        np.maximum.at(best, owner, heavy)
        stray = heavy < best[owner]
        # Two parts of the same weight: the first one stays.
        kept = np.full(len(centres), -1, np.int64)
        for part in np.flatnonzero(~stray):
            if kept[owner[part]] < 0:
                kept[owner[part]] = part
            else:
                stray[part] = True
        if not stray.any():
            return out
        moved = _give_away(
            adjacency.starts, adjacency.targets, out, component, stray, weight, xy, centres, prices, ratio
        )
        if not moved:
            return out
    return out


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
    starts: Integers,
    targets: Labels,
    labels: Labels,
    component: Labels,
    stray: Flags,
    weight: Floats,
    xy: Floats,
    centres: Floats,
    prices: Floats,
    ratio: Floats,
) -> int:
    """Give each stray part that touches a kept one to the cheapest such territory; return how many units went."""
    n = len(labels)
    order = np.argsort(component)
    moved = 0
    at = 0
    given = labels.copy()
    while at < n:
        end = at
        part = component[order[at]]
        while end < n and component[order[end]] == part:
            end += 1
        if stray[part]:
            w = 0.0
            x = 0.0
            y = 0.0
            r = np.zeros(ratio.shape[1])
            for at_unit in range(at, end):
                i = order[at_unit]
                w += weight[i]
                x += weight[i] * xy[i, 0]
                y += weight[i] * xy[i, 1]
                for a in range(len(r)):
                    r[a] += weight[i] * ratio[i, a]
            best = -1
            least = np.inf
            for at_unit in range(at, end):
                i = order[at_unit]
                for e in range(starts[i], starts[i + 1]):
                    other = targets[e]
                    if component[other] == part or stray[component[other]]:
                        continue
                    k = labels[other]
                    pay = (x / w - centres[k, 0]) ** 2 + (y / w - centres[k, 1]) ** 2
                    for a in range(len(r)):
                        pay += prices[k, a] * r[a] / w
                    if pay < least:
                        best, least = k, pay
            if best >= 0:
                for at_unit in range(at, end):
                    given[order[at_unit]] = best
                moved += end - at
        at = end
    labels[:] = given
    return moved
