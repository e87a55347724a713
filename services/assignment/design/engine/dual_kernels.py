"""The smoothed dual of the transportation problem, its gradient and its curvature, over blocks of units.

For centres c_j and multipliers lam_ja unit i pays  d2(i, j) + sum_a lam_ja r_ia  per weight, r_ia its measure per weight,
and belongs to territory j by the soft minimum's share  p_ij ~ exp(-pay_ij / eps_i).  Territories that cannot reach
exp(-_FAR) of the best anywhere in a block are not looked at; where one is left, the block's sums stand for its units.
"""

import numpy as np
from numba import prange

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import PARTS, compiled, compiled_parallel

_FAR = 25.0
_SMALL = 1e-9


@compiled
def _contenders(
    middle: Floats,
    radius: float,
    ratio: Floats,
    spread: Floats,
    near: Labels,
    centres: Floats,
    prices: Floats,
    reach: float,
    found: Labels,
    pay: Floats,
) -> int:
    """Write those of `near` who may win some unit of the block, the best at the middle first; return how many."""
    kinds = prices.shape[1]
    best = 0
    for t in range(len(near)):
        j = near[t]
        pay[t] = (middle[0] - centres[j, 0]) ** 2 + (middle[1] - centres[j, 1]) ** 2
        for a in range(kinds):
            pay[t] += prices[j, a] * ratio[a]
        if pay[t] < pay[best]:
            best = t
    first = near[best]
    found[0] = first
    count = 1
    for t in range(len(near)):
        j = near[t]
        if j == first:
            continue
        slack = 2.0 * radius * np.hypot(centres[j, 0] - centres[first, 0], centres[j, 1] - centres[first, 1])
        for a in range(kinds):
            slack += abs(prices[j, a] - prices[first, a]) * spread[a]
        if pay[t] - pay[best] <= slack + reach:
            found[count] = j
            count += 1
    return count


@compiled
def _share(
    x: float, y: float, ratio: Floats, found: Labels, count: int, centres: Floats, prices: Floats, eps: float, p: Floats
) -> float:
    """Write the shares of a unit among the contenders, and return the soft minimum of what it pays."""
    least = np.inf
    for t in range(count):
        j = found[t]
        p[t] = (x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2
        for a in range(len(ratio)):
            p[t] += prices[j, a] * ratio[a]
        least = min(least, p[t])
    total = 0.0
    for t in range(count):
        over = (p[t] - least) / eps
        p[t] = np.exp(-over) if over < _FAR else 0.0
        total += p[t]
    for t in range(count):
        p[t] /= total
    return least - eps * np.log(total)


@compiled_parallel
def evaluate(
    xy: Floats,
    weight: Floats,
    measures: Floats,
    starts: Integers,
    block_weight: Floats,
    middle: Floats,
    radius: Floats,
    inertia: Floats,
    block_measures: Floats,
    spread: Floats,
    near: Labels,
    centres: Floats,
    prices: Floats,
    eps: Floats,
    slot: Labels,
    slots: int,
) -> tuple[float, Floats, Floats]:
    """Return the smoothed dual's value (without the targets' part), loads (K, A) and curvature (slots, A, A).

    eps (B,) is the blocks' temperature. slot (K, K) says where a pair of territories, smaller first, has its curvature;
    with no slots none is made.
    """
    territories, kinds = prices.shape
    blocks = len(near)
    value = np.zeros(PARTS)
    loads = np.zeros((PARTS, territories, kinds))
    curve = np.zeros((PARTS, slots, kinds, kinds))
    for part in prange(PARTS):
        found = np.empty(near.shape[1], np.int32)
        p = np.empty(near.shape[1])
        ratio = np.empty(kinds)
        for b in range(blocks * part // PARTS, blocks * (part + 1) // PARTS):
            for a in range(kinds):
                ratio[a] = block_measures[b, a] / block_weight[b]
            count = _contenders(
                middle[b], radius[b], ratio, spread[b], near[b], centres, prices, _FAR * eps[b], found, p
            )
            if count == 1:
                j = found[0]
                value[part] += inertia[b] + block_weight[b] * (
                    (middle[b, 0] - centres[j, 0]) ** 2 + (middle[b, 1] - centres[j, 1]) ** 2
                )
                for a in range(kinds):
                    value[part] += prices[j, a] * block_measures[b, a]
                    loads[part, j, a] += block_measures[b, a]
                continue
            for i in range(starts[b], starts[b + 1]):
                for a in range(kinds):
                    ratio[a] = measures[i, a] / weight[i]
                value[part] += weight[i] * _share(
                    xy[i, 0], xy[i, 1], ratio, found, count, centres, prices, eps[b], p
                )
                for t in range(count):
                    if p[t] < _SMALL:
                        continue
                    j = found[t]
                    for a in range(kinds):
                        loads[part, j, a] += measures[i, a] * p[t]
                    if slots == 0 or p[t] > 1.0 - _SMALL:
                        continue
                    steep = weight[i] / eps[b] * p[t]
                    for u in range(t, count):
                        if p[u] < _SMALL:
                            continue
                        k = found[u]
                        much = steep * (1.0 - p[t]) if u == t else -steep * p[u]
                        at = slot[min(j, k), max(j, k)]
                        for a in range(kinds):
                            for c in range(kinds):
                                curve[part, at, a, c] += much * ratio[a] * ratio[c]
    return value.sum(), loads.sum(axis=0), curve.sum(axis=0)


@compiled_parallel
def shift(
    xy: Floats,
    weight: Floats,
    measures: Floats,
    starts: Integers,
    block_weight: Floats,
    middle: Floats,
    radius: Floats,
    block_measures: Floats,
    spread: Floats,
    near: Labels,
    centres: Floats,
    moved: Floats,
    prices: Floats,
    eps: Floats,
) -> Floats:
    """Return how loads, shape (K, A), would change to first order if the centres moved and the prices did not."""
    territories, kinds = prices.shape
    blocks = len(near)
    out = np.zeros((PARTS, territories, kinds))
    for part in prange(PARTS):
        found = np.empty(near.shape[1], np.int32)
        p = np.empty(near.shape[1])
        dearer = np.empty(near.shape[1])
        ratio = np.empty(kinds)
        for b in range(blocks * part // PARTS, blocks * (part + 1) // PARTS):
            for a in range(kinds):
                ratio[a] = block_measures[b, a] / block_weight[b]
            count = _contenders(
                middle[b], radius[b], ratio, spread[b], near[b], centres, prices, _FAR * eps[b], found, p
            )
            if count == 1:
                continue
            for i in range(starts[b], starts[b + 1]):
                for a in range(kinds):
                    ratio[a] = measures[i, a] / weight[i]
                _share(xy[i, 0], xy[i, 1], ratio, found, count, centres, prices, eps[b], p)
                mean = 0.0
                for t in range(count):
                    j = found[t]
                    dearer[t] = (
                        (xy[i, 0] - moved[j, 0]) ** 2
                        + (xy[i, 1] - moved[j, 1]) ** 2
                        - (xy[i, 0] - centres[j, 0]) ** 2
                        - (xy[i, 1] - centres[j, 1]) ** 2
                    )
                    mean += p[t] * dearer[t]
                for t in range(count):
                    if p[t] > _SMALL:
                        much = p[t] * (dearer[t] - mean) / eps[b]
                        for a in range(kinds):
                            out[part, found[t], a] -= much * measures[i, a]
    return out.sum(axis=0)


@compiled_parallel
def label(
    xy: Floats,
    weight: Floats,
    measures: Floats,
    starts: Integers,
    block_weight: Floats,
    middle: Floats,
    radius: Floats,
    block_measures: Floats,
    spread: Floats,
    near: Labels,
    centres: Floats,
    prices: Floats,
) -> Labels:
    """Return each unit's cheapest territory, shape (n,)."""
    kinds = prices.shape[1]
    blocks = len(near)
    out = np.empty(len(xy), np.int32)
    for part in prange(PARTS):
        found = np.empty(near.shape[1], np.int32)
        p = np.empty(near.shape[1])
        ratio = np.empty(kinds)
        for b in range(blocks * part // PARTS, blocks * (part + 1) // PARTS):
            for a in range(kinds):
                ratio[a] = block_measures[b, a] / block_weight[b]
            count = _contenders(middle[b], radius[b], ratio, spread[b], near[b], centres, prices, 0.0, found, p)
            for i in range(starts[b], starts[b + 1]):
                best, least = found[0], np.inf
                for t in range(count):
                    j = found[t]
                    pay = (xy[i, 0] - centres[j, 0]) ** 2 + (xy[i, 1] - centres[j, 1]) ** 2
                    for a in range(kinds):
                        pay += prices[j, a] * measures[i, a] / weight[i]
                    if pay < least:
                        best, least = j, pay
                out[i] = best
    return out


@compiled
def pairs_of(near: Labels, territories: int) -> tuple[Labels, int]:
    """Return slot (K, K) with a place for every pair that is near one block, smaller first, else -1; and how many."""
    slot = np.full((territories, territories), -1, np.int32)
    count = 0
    for j in range(territories):
        slot[j, j] = count
        count += 1
    for b in range(len(near)):
        for t in range(near.shape[1]):
            for u in range(t + 1, near.shape[1]):
                j, k = min(near[b, t], near[b, u]), max(near[b, t], near[b, u])
                if slot[j, k] < 0:
                    slot[j, k] = count
                    count += 1
    return slot, count
