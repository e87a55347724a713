"""Two territories merged and cut anew along the best edge of some random spanning trees: see `resplits`."""

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.plan import Plan, out_of_band


@compiled
def _random_tree(first: Integers, second: Integers, count: int) -> tuple[Integers, Integers]:
    """Return a random spanning tree of nodes 0..count as parents and an order from the root; shorter if not connected.

    first, second: the edges, in any order; they are tried in a random one (Kruskal).
    """
    edges = len(first)
    root = np.arange(count)
    left, right = np.empty(count, np.int64), np.empty(count, np.int64)
    degree = np.zeros(count + 1, np.int64)
    order = np.argsort(np.random.random(edges))
    found = 0
    for x in range(edges):
        u, v = first[order[x]], second[order[x]]
        a, b = u, v
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        if a != b:
            root[a] = b
            left[found], right[found] = u, v
            found += 1
            degree[u + 1] += 1
            degree[v + 1] += 1
            if found == count - 1:
                break
    starts = np.cumsum(degree)
    fill = starts[:-1].copy()
    around = np.empty(2 * found, np.int64)
    for x in range(found):
        around[fill[left[x]]] = right[x]
        fill[left[x]] += 1
        around[fill[right[x]]] = left[x]
        fill[right[x]] += 1
    parent = np.full(count, -1, np.int64)
    visit = np.zeros(count, np.int64)
    head, tail = 0, 1
    while head < tail:
        u = visit[head]
        head += 1
        for e in range(starts[u], starts[u + 1]):
            v = around[e]
            if v != parent[u]:
                parent[v] = u
                visit[tail] = v
                tail += 1
    return parent, visit[:tail]


# What is added up of units along a tree: weight, weight times x, y and the square; what they cost for leaving their owner
# and how many are not allowed, in the one territory and in the other; then loads.
_STAY, _BARRED, _LOADS = 4, 6, 8


@compiled
def _side_cost(plan: Plan, j: int, side: int, sums: Floats, x0: float, y0: float) -> float:
    """Return what territory j costs as side 0 or 1 of a cut with these sums, of places from (x0, y0)."""
    if sums[0] <= 0.0 or sums[_BARRED + side] > 0.5:
        return np.inf
    x, y = sums[1] / sums[0], sums[2] / sums[0]
    cost = sums[3] - sums[0] * (x * x + y * y) + sums[_STAY + side]
    if plan.pull > 0.0 and not np.isnan(plan.homes[j, 0]):
        cost += plan.pull**2 * sums[0] * ((x + x0 - plan.homes[j, 0]) ** 2 + (y + y0 - plan.homes[j, 1]) ** 2)
    for a in range(plan.loads.shape[1]):
        cost += plan.price[j, a] * out_of_band(sums[_LOADS + a], plan.low[j, a], plan.high[j, a])
    return float(cost)


@compiled
def _unit_sums(plan: Plan, nodes: Integers, j: int, k: int) -> Floats:
    """Return the sums of single units, shape (nodes, 8 + A)."""
    units = plan.units
    x0, y0 = units.xy[nodes[0], 0], units.xy[nodes[0], 1]
    base = np.zeros((len(nodes), _LOADS + plan.loads.shape[1]))
    for a in range(len(nodes)):
        i = nodes[a]
        w = units.weight[i]
        x, y = units.xy[i, 0] - x0, units.xy[i, 1] - y0
        base[a, 0], base[a, 1], base[a, 2], base[a, 3] = w, w * x, w * y, w * (x * x + y * y)
        for side in range(2):
            t = j if side == 0 else k
            if units.owner[i] == t:
                base[a, _STAY + side] = -w * units.bonus[i]
            if (not plan.movable[i] and plan.labels[i] != t) or not plan.permitted[units.kinds[i], t]:
                base[a, _BARRED + side] = 1.0
        for m in range(plan.loads.shape[1]):
            base[a, _LOADS + m] = units.measures[i, m]
    return base


@compiled
def _edges(nodes: Integers, place: Integers, starts: Integers, targets: Labels) -> tuple[Integers, Integers]:
    """Return the pairs of nodes that touch, as places in nodes."""
    count = 0
    for a in range(len(nodes)):
        for e in range(starts[nodes[a]], starts[nodes[a] + 1]):
            if place[targets[e]] > a:
                count += 1
    first, second = np.empty(count, np.int64), np.empty(count, np.int64)
    count = 0
    for a in range(len(nodes)):
        for e in range(starts[nodes[a]], starts[nodes[a] + 1]):
            if place[targets[e]] > a:
                first[count], second[count] = a, place[targets[e]]
                count += 1
    return first, second


@compiled
def _cut(
    plan: Plan,
    starts: Integers,
    targets: Labels,
    nodes: Integers,
    place: Integers,
    j: int,
    k: int,
    slack: float,
    trees: int,
    seed: int,
) -> bool:
    """Cut territories j and k, whose units are nodes, along the best edge of some random trees; tell whether it did.

    A cut may be dearer than what is by slack. place (n,) is -1 everywhere, and is so again afterwards.
    """
    np.random.seed(seed)
    count = len(nodes)
    for a in range(count):
        place[nodes[a]] = a
    first, second = _edges(nodes, place, starts, targets)
    for a in range(count):
        place[nodes[a]] = -1
    base = _unit_sums(plan, nodes, j, k)
    x0, y0 = plan.units.xy[nodes[0], 0], plan.units.xy[nodes[0], 1]
    total = np.zeros(base.shape[1])
    now = np.zeros(base.shape[1])
    for a in range(count):
        total += base[a]
        if plan.labels[nodes[a]] == j:
            now += base[a]
    least = _side_cost(plan, j, 0, now, x0, y0) + _side_cost(plan, k, 1, total - now, x0, y0)
    least += slack - 1e-9 * abs(least)
    inside = np.zeros(count, np.bool_)
    found = False
    inside_is_j = True
    for _ in range(trees):
        parent, order = _random_tree(first, second, count)
        if len(order) < count:
            return False
        sums = base.copy()
        best = -1
        for x in range(count - 1, 0, -1):
            v = order[x]
            rest = total - sums[v]
            as_j = _side_cost(plan, j, 0, sums[v], x0, y0) + _side_cost(plan, k, 1, rest, x0, y0)
            as_k = _side_cost(plan, k, 1, sums[v], x0, y0) + _side_cost(plan, j, 0, rest, x0, y0)
            if min(as_j, as_k) < least:
                least, best, inside_is_j = min(as_j, as_k), v, as_j <= as_k
            sums[parent[v]] += sums[v]
        if best < 0:
            continue
        found = True
        inside[:] = False
        inside[best] = True
        for x in range(1, count):
            if inside[parent[order[x]]]:
                inside[order[x]] = True
    if not found:
        return False
    for a in range(count):
        plan.labels[nodes[a]] = j if inside[a] == inside_is_j else k
    return True


@compiled
def cut_pairs(
    plan: Plan,
    starts: Integers,
    targets: Labels,
    pairs: Integers,
    slack: Floats,
    seeds: Integers,
    trees: int,
) -> None:
    """Cut these pairs of territories (P, 2) anew, one after the other, along the best edge of so many trees.

    A cut may be dearer than what is by slack (P,); seeds (P,) of chance.
    """
    n = len(plan.labels)
    place = np.full(n, -1, np.int64)
    # The units of each territory, as a chain from the first one on.
    first, after = np.full(len(plan.weight), -1, np.int64), np.full(n, -1, np.int64)
    for i in range(n - 1, -1, -1):
        after[i] = first[plan.labels[i]]
        first[plan.labels[i]] = i
    nodes = np.empty(n, np.int64)
    for pair in range(len(pairs)):
        j, k = pairs[pair, 0], pairs[pair, 1]
        if first[j] < 0 or first[k] < 0:
            continue
        count = 0
        for territory in (j, k):
            i = first[territory]
            while i >= 0:
                nodes[count] = i
                count += 1
                i = after[i]
        if _cut(plan, starts, targets, nodes[:count], place, j, k, slack[pair], trees, seeds[pair]):
            first[j], first[k] = -1, -1
            for a in range(count - 1, -1, -1):
                i = nodes[a]
                after[i] = first[plan.labels[i]]
                first[plan.labels[i]] = i
