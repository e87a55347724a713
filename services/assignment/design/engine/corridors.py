"""Units amid a territory that may not hold them: a way through it is cut for them, to one that may."""

from collections import deque

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Integers, Labels
from services.assignment.design.engine.contiguity import components, stray_parts
from services.assignment.design.engine.level import Units

# So many stray parts, and units around each of them, are looked at.
_MOST_PARTS, _LOOKS = 100, 5_000


def with_corridors(
    adjacency: Adjacency, units: Units, labels: Labels, permitted: Flags, movable: Flags
) -> Labels:
    """Return labels with stray parts joined to a territory that may hold them, by the units on the shortest way to it.

    A way that would part another territory, or have who may not be there on it, is not cut.
    """
    if permitted.all():
        return labels
    out, left = labels, _stray(adjacency, units, labels, movable)
    for part in left[:_MOST_PARTS]:
        new = _joined(adjacency, units, out, part, permitted, movable)
        if new is not None and len(_stray(adjacency, units, new, movable)) < len(
            _stray(adjacency, units, out, movable)
        ):
            out = new
    return out


def _stray(adjacency: Adjacency, units: Units, labels: Labels, movable: Flags) -> list[Integers]:
    """Return the units of each part beside the heaviest of its territory in which no unit has to be."""
    component, count = components(adjacency, labels)
    stray = stray_parts(component, count, labels, units.weight)
    stray[component[~movable]] = False
    return [np.flatnonzero(component == part) for part in np.flatnonzero(stray)]


def _joined(
    adjacency: Adjacency, units: Units, labels: Labels, part: Integers, permitted: Flags, movable: Flags
) -> Labels | None:
    """Return labels in which the part has a way to the nearest territory that may hold all of it; None without one."""
    may: Flags = np.asarray(permitted[units.kinds[part]].all(axis=0))
    own = set(part.tolist())
    before = dict.fromkeys(own, -1)
    waiting = deque(part.tolist())
    while waiting and len(before) < len(own) + _LOOKS:
        at = waiting.popleft()
        for near in adjacency.targets[adjacency.starts[at] : adjacency.starts[at + 1]].tolist():
            if near in before:
                continue
            before[near] = at
            if may[labels[near]]:
                taker = int(labels[near])
                way = _way(before, at, own)
                if permitted[units.kinds[way], taker].all():
                    new = labels.copy()
                    new[part] = taker
                    new[way] = taker
                    return new
            elif movable[near]:
                waiting.append(near)
    return None


def _way(before: dict[int, int], at: int, own: set[int]) -> list[int]:
    """Return the units from where a search stands back to the part that it began with."""
    way = []
    while at not in own:
        way.append(at)
        at = before[at]
    return way
