"""Links between units: from triangles, to an adjacency, and the shortest that join what hangs not together."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled


def adjacency_of(links: Labels, units: int) -> Adjacency:
    """Return the adjacency with these links, shape (E, 2): each both ways and once, neighbours in ascending order."""
    starts, targets = _both_ways(np.ascontiguousarray(links, dtype=np.int32), units)
    return Adjacency(starts, targets)


def links_of(adjacency: Adjacency) -> Labels:
    """Return the links, shape (E, 2), of an adjacency, each once and with the lower unit first."""
    source = np.repeat(np.arange(len(adjacency.starts) - 1, dtype=np.int32), np.diff(adjacency.starts))
    once = source < adjacency.targets
    return np.column_stack([source[once], adjacency.targets[once]])


def joining(links: Labels, length: Floats, known: Labels, units: int) -> Integers:
    """Return which links, shape (E, 2), join the parts that known links, shape (F, 2), leave: the shortest ones.

    Kruskal's algorithm; of a triangulation's links they are the shortest there are between the parts at all.
    """
    order = (
        np.lexsort((links.max(axis=1), links.min(axis=1), length)) if len(links) else np.empty(0, np.int64)
    )
    return _joining(links, order, known, units)


def bridges(links: Labels, length: Floats, known: Labels, units: int) -> Integers:
    """Return which links, shape (E, 2), are the shortest between two of the parts that known links, shape (F, 2), leave."""
    ends = np.sort(_parts(known, units)[links], axis=1)
    order = np.lexsort((links.max(axis=1), links.min(axis=1), length, ends[:, 1], ends[:, 0]))
    order = order[ends[order, 0] != ends[order, 1]]
    first = np.ones(len(order), np.bool_)
    first[1:] = (ends[order[1:]] != ends[order[:-1]]).any(axis=1)
    chosen: Integers = order[first]
    return chosen


@compiled
def triangle_links(triangles: Labels, beyond: Labels, xy: Floats) -> tuple[Labels, Floats]:
    """Return the links of triangles, shape (T, 3), each once, and the least cosine at which a corner sees both ends.

    beyond (T, 3): the triangle beyond the side that faces each corner, -1 for none. Below zero the corner is in the circle
    that the ends are the diameter of, and no other point can be if neither corner is: the circles around Delaunay's
    triangles are empty. At -1 it is right between the ends.
    """
    count = 0
    for t in range(len(triangles)):
        for k in range(3):
            if beyond[t, k] < t:
                count += 1
    links = np.empty((count, 2), np.int32)
    least = np.empty(count)
    at = 0
    for t in range(len(triangles)):
        for k in range(3):
            other = beyond[t, k]
            if other >= t:
                continue
            a, b = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
            links[at, 0], links[at, 1] = a, b
            least[at] = _cosine(xy, triangles[t, k], a, b)
            if other >= 0:
                for c in triangles[other]:
                    if c not in (a, b):
                        least[at] = min(least[at], _cosine(xy, c, a, b))
            at += 1
    return links, least


@compiled
def _cosine(xy: Floats, corner: int, a: int, b: int) -> float:
    x, y = xy[corner]
    ax, ay = xy[a, 0] - x, xy[a, 1] - y
    bx, by = xy[b, 0] - x, xy[b, 1] - y
    return float((ax * bx + ay * by) / np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by)))


@compiled
def usual_lengths(links: Labels, length: Floats, counted: Flags, units: int) -> Floats:
    """Return the median length, shape (n,), of those links of each unit that count; 0 if there are none.

    Of two in the middle it is the shorter: units in a row along a shore have as many links over the water.
    """
    starts = np.zeros(units + 1, np.int64)
    for e in range(len(links)):
        if counted[e]:
            starts[links[e, 0]] += 1
            starts[links[e, 1]] += 1
    starts = np.cumsum(starts)
    held = np.empty(starts[-1])
    for e in range(len(links)):
        if counted[e]:
            for end in links[e]:
                starts[end] -= 1
                held[starts[end]] = length[e]
    usual = np.zeros(units)
    for i in range(units):
        if starts[i + 1] > starts[i]:
            row = np.sort(held[starts[i] : starts[i + 1]])
            usual[i] = row[(len(row) - 1) // 2]
    return usual


@compiled
def _both_ways(links: Labels, units: int) -> tuple[Integers, Labels]:
    starts = np.zeros(units + 1, np.int64)
    for e in range(len(links)):
        starts[links[e, 0]] += 1
        starts[links[e, 1]] += 1
    starts = np.cumsum(starts)
    targets = np.empty(starts[-1], np.int32)
    for e in range(len(links)):
        for one in range(2):
            starts[links[e, one]] -= 1
            targets[starts[links[e, one]]] = links[e, 1 - one]
    # The same link twice, and one to itself, are left out.
    kept = 0
    begins = np.zeros(units + 1, np.int64)
    for i in range(units):
        row = np.sort(targets[starts[i] : starts[i + 1]])
        begins[i] = kept
        for at in range(len(row)):
            if row[at] != i and (at == 0 or row[at] != row[at - 1]):
                targets[kept] = row[at]
                kept += 1
    begins[units] = kept
    return begins, targets[:kept].copy()


@compiled
def _root(parent: Integers, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _parts(links: Labels, units: int) -> Integers:
    """Return for each unit the same unit of its part."""
    parent = np.arange(units)
    for e in range(len(links)):
        parent[_root(parent, links[e, 0])] = _root(parent, links[e, 1])
    for i in range(units):
        parent[i] = _root(parent, i)
    return parent


@compiled
def _joining(links: Labels, order: Integers, known: Labels, units: int) -> Integers:
    part = _parts(known, units)
    chosen = np.empty(max(len(np.unique(part)) - 1, 0), np.int64)
    count = 0
    for e in order:
        if count == len(chosen):
            break
        a, b = _root(part, links[e, 0]), _root(part, links[e, 1])
        if a != b:
            part[a] = b
            chosen[count] = e
            count += 1
    return chosen[:count]
