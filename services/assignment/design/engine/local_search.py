"""Moves single units over borders while that saves travel or mends balance, and keeps territories in one part.

Costs are exact: a territory's weighted mean moves with each unit (Hartigan and Wong 1979), so taking unit i out of j saves
w W_j / (W_j - w) |x - c_j|^2, and putting it into k costs w W_k / (W_k + w) |x - c_k|^2.
"""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.contiguity import Adjacency

# A territory that is this far out of its band, in shares of a load, pays as if all of it were far away.
_LOOKS = 2_000


@dataclass(slots=True)
class Plan:
    """Labels (n,) with what follows from them: weight (K,), sums (K, 2) of weight times place, loads (K, A)."""

    labels: Labels
    weight: Floats
    sums: Floats
    loads: Floats


def make_plan(labels: Labels, xy: Floats, weight: Floats, measures: Floats, territories: int) -> Plan:
    """Add up what follows from labels."""
    return Plan(
        labels,
        np.bincount(labels, weight, territories),
        np.column_stack([np.bincount(labels, weight * xy[:, d], territories) for d in (0, 1)]),
        np.column_stack(
            [np.bincount(labels, measures[:, a], territories) for a in range(measures.shape[1])]
        ),
    )


def improve(
    plan: Plan,
    adjacency: Adjacency,
    xy: Floats,
    weight: Floats,
    measures: Floats,
    low: Floats,
    high: Floats,
    price: Floats,
    *,
    looks: int,
) -> int:
    """Move units until none is worth it, in at most so many looks at one; return how many moves. Changes the plan.

    low and high (K, A) are the band, price (K,) what a load out of its band costs, per squared share of a load.
    """
    return _improve(
        adjacency.starts,
        adjacency.targets,
        plan.labels,
        plan.weight,
        plan.sums,
        plan.loads,
        xy,
        weight,
        measures,
        low,
        high,
        price,
        looks,
    )


@compiled
def _out(load: float, low: float, high: float) -> float:
    """What a load out of its band counts: steep at once, steeper the further out, so that a surplus spreads."""
    if load > high:
        over = load - high
    elif load < low:
        over = low - load
    else:
        return 0.0
    return over * (0.1 + over)


@compiled
def _stays_whole(i, starts, targets, labels, mark, stamp, queue) -> bool:  # type: ignore[no-untyped-def]
    """Tell whether i's neighbours in its territory hang together without it, as far as _LOOKS units tell."""
    j = labels[i]
    wanted = 0
    first = -1
    for e in range(starts[i], starts[i + 1]):
        o = targets[e]
        if labels[o] == j and o != i:
            if mark[o] != stamp:
                mark[o] = stamp
                wanted += 1
                first = o
    if wanted <= 1:
        return wanted == 1
    # mark == stamp: a neighbour not reached yet; stamp + 1: reached.
    mark[i] = stamp + 1
    mark[first] = stamp + 1
    queue[0] = first
    head, tail, reached = 0, 1, 1
    while head < tail and tail < _LOOKS:
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
            mark[o] = stamp + 1
            queue[tail] = o
            tail += 1
            if tail >= _LOOKS:
                return False
    return False


@compiled
def _improve(  # type: ignore[no-untyped-def]
    starts, targets, labels, W, S, loads, xy, weight, measures, low, high, price, looks
) -> int:
    n, kinds = measures.shape
    mark = np.zeros(n, np.int64)
    scratch = np.empty(_LOOKS + 64, np.int64)
    ring = np.empty(n, np.int64)
    inside = np.zeros(n, np.bool_)
    head, size = 0, 0
    for i in range(n):
        for e in range(starts[i], starts[i + 1]):
            if labels[targets[e]] != labels[i]:
                ring[size] = i
                size += 1
                inside[i] = True
                break
    stamp = 0
    moves = 0
    while size > 0 and looks > 0:
        looks -= 1
        i = ring[head]
        head = (head + 1) % n
        size -= 1
        inside[i] = False
        j = labels[i]
        w = weight[i]
        if W[j] <= w * (1.0 + 1e-9):
            continue
        x, y = xy[i, 0], xy[i, 1]
        save = w * W[j] / (W[j] - w) * ((x - S[j, 0] / W[j]) ** 2 + (y - S[j, 1] / W[j]) ** 2)
        left = 0.0
        for a in range(kinds):
            m = measures[i, a]
            left += price[j] * (_out(loads[j, a] - m, low[j, a], high[j, a]) - _out(loads[j, a], low[j, a], high[j, a]))
        best, least = -1, -1e-9 * (abs(save) + 1e-300)
        for e in range(starts[i], starts[i + 1]):
            k = labels[targets[e]]
            if k == j or k == best:
                continue
            pay = w * W[k] / (W[k] + w) * ((x - S[k, 0] / W[k]) ** 2 + (y - S[k, 1] / W[k]) ** 2) - save + left
            if pay >= least and pay - left >= least:
                # Even with all of it mended.
                pass
            for a in range(kinds):
                m = measures[i, a]
                pay += price[k] * (
                    _out(loads[k, a] + m, low[k, a], high[k, a]) - _out(loads[k, a], low[k, a], high[k, a])
                )
            if pay < least:
                best, least = k, pay
        if best < 0:
            continue
        stamp += 2
        if not _stays_whole(i, starts, targets, labels, mark, stamp, scratch):
            continue
        moves += 1
        labels[i] = best
        W[j] -= w
        W[best] += w
        S[j, 0] -= w * x
        S[j, 1] -= w * y
        S[best, 0] += w * x
        S[best, 1] += w * y
        for a in range(kinds):
            loads[j, a] -= measures[i, a]
            loads[best, a] += measures[i, a]
        if not inside[i]:
            ring[(head + size) % n] = i
            size += 1
            inside[i] = True
        for e in range(starts[i], starts[i + 1]):
            o = targets[e]
            if not inside[o]:
                ring[(head + size) % n] = o
                size += 1
                inside[o] = True
    return moves
