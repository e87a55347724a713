"""The smoothed dual of the transportation problem, its gradient and its curvature, over blocks of units.

For centres c_j and prices lam_ja unit i pays  d2(i, j) + sum_a lam_ja r_ia - bonus_i [j is its owner]  per weight, r_ia its
measure per weight, and belongs to territory j by the soft minimum's share  p_ij ~ exp(-pay_ij / eps_i).  Territories that
cannot reach exp(-_FAR) of the best anywhere in a block are not looked at; where one is left, the block's sums stand for
its units. `near` (B, T) names who is looked at, padded with -1.
"""

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.compiling import compiled, in_parts
from services.assignment.design.engine.level import MIXED, Level

_FAR = 12.0
_SMALL = 1e-7


@compiled
def _contenders(
    level: Level, b: int, near: Labels, centres: Floats, prices: Floats, reach: float, found: Labels, pay: Floats
) -> int:
    """Write those of `near` who may win some unit of the block, the best at the middle first; return how many."""
    kinds = prices.shape[1]
    owner, bonus = level.block_owner[b], level.most_bonus[b]
    x, y = level.middle[b, 0], level.middle[b, 1]
    best = 0
    for t in range(len(near)):
        j = near[t]
        if j < 0:
            break
        pay[t] = (x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2
        for a in range(kinds):
            pay[t] += prices[j, a] * level.block_measures[b, a] / level.block_weight[b]
        if j == owner:
            pay[t] -= bonus
        if pay[t] < pay[best]:
            best = t
    first = near[best]
    found[0] = first
    count = 1
    for t in range(len(near)):
        j = near[t]
        if j < 0:
            break
        if j == first:
            continue
        slack = reach + 2.0 * level.radius[b] * np.sqrt(
            (centres[j, 0] - centres[first, 0]) ** 2 + (centres[j, 1] - centres[first, 1]) ** 2
        )
        for a in range(kinds):
            slack += abs(prices[j, a] - prices[first, a]) * level.spread[b, a]
        # Not every unit has the block's largest bonus: the first may lose what it won by, a mixed block's owners win it.
        if owner == MIXED or owner == first:  # noqa: PLR1714 - not a tuple for the compiler
            slack += bonus
        if pay[t] - pay[best] <= slack:
            found[count] = j
            count += 1
    return count


@compiled
def _sure(level: Level, b: int, found: Labels, count: int) -> bool:
    """Tell whether the block's sums stand for its units: one territory wins them, and it is known what of a bonus counts."""
    return count == 1 and (level.most_bonus[b] == 0.0 or level.block_owner[b] != MIXED)


@compiled
def _pays(level: Level, i: int, found: Labels, count: int, centres: Floats, prices: Floats, pay: Floats) -> float:
    """Write what the unit pays, per weight, at each contender; return the least."""
    units = level.units
    x, y, owner = units.xy[i, 0], units.xy[i, 1], units.owner[i]
    least = np.inf
    for t in range(count):
        j = found[t]
        pay[t] = (x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2
        for a in range(prices.shape[1]):
            pay[t] += prices[j, a] * (units.measures[i, a] / units.weight[i])
        if j == owner:
            pay[t] -= units.bonus[i]
        least = min(least, pay[t])
    return least


@compiled
def _shares(pay: Floats, count: int, least: float, eps: float) -> float:
    """Turn pays into shares of the unit, in place, and return their soft minimum."""
    total = 0.0
    for t in range(count):
        over = (pay[t] - least) / eps
        pay[t] = np.exp(-over) if over < _FAR else 0.0
        total += pay[t]
    for t in range(count):
        pay[t] /= total
    return least - eps * np.log(total)


def evaluate(
    level: Level, near: Labels, centres: Floats, prices: Floats, eps: Floats, slot: Labels, slots: int
) -> tuple[float, Floats, Floats, Floats]:
    """Return the smoothed dual's value (without the targets' part), loads (K, A), masses (K, 3): weight and its product
    with x and y, and curvature (slots, A, A).

    eps (B,) is the blocks' temperature. slot (K, K) says where a pair of territories, smaller first, has its curvature;
    with no slots none is made.
    """  # noqa: D205, D400 - one sentence
    parts = in_parts(
        lambda first, last: _evaluate(level, near, centres, prices, eps, slot, slots, first, last), len(near)
    )
    value, loads, masses, curvature = parts[0]
    for more in parts[1:]:
        value += more[0]
        loads += more[1]
        masses += more[2]
        curvature += more[3]
    return value, loads, masses, curvature


@compiled
def _evaluate(
    level: Level,
    near: Labels,
    centres: Floats,
    prices: Floats,
    eps: Floats,
    slot: Labels,
    slots: int,
    start: int,
    end: int,
) -> tuple[float, Floats, Floats, Floats]:
    territories, kinds = prices.shape
    units = level.units
    value = 0.0
    loads = np.zeros((territories, kinds))
    masses = np.zeros((territories, 3))
    curve = np.zeros((slots, kinds, kinds))
    found = np.empty(near.shape[1], np.int32)
    p = np.empty(near.shape[1])
    ratio = np.empty(kinds)
    for b in range(start, end):
        count = _contenders(level, b, near[b], centres, prices, _FAR * eps[b], found, p)
        if _sure(level, b, found, count):
            j = found[0]
            heavy = level.block_weight[b]
            x, y = level.middle[b, 0], level.middle[b, 1]
            value += level.inertia[b] + heavy * ((x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2)
            if level.block_owner[b] == j:
                value -= level.bonus_weight[b]
            for a in range(kinds):
                value += prices[j, a] * level.block_measures[b, a]
                loads[j, a] += level.block_measures[b, a]
            masses[j, 0] += heavy
            masses[j, 1] += heavy * x
            masses[j, 2] += heavy * y
            continue
        for i in range(level.starts[b], level.starts[b + 1]):
            least = _pays(level, i, found, count, centres, prices, p)
            w = units.weight[i]
            value += w * _shares(p, count, least, eps[b])
            for a in range(kinds):
                ratio[a] = units.measures[i, a] / w
            for t in range(count):
                if p[t] < _SMALL:
                    continue
                j = found[t]
                share = w * p[t]
                masses[j, 0] += share
                masses[j, 1] += share * units.xy[i, 0]
                masses[j, 2] += share * units.xy[i, 1]
                for a in range(kinds):
                    loads[j, a] += ratio[a] * share
                if slots == 0 or p[t] > 1.0 - _SMALL:
                    continue
                steep = share / eps[b]
                for u in range(t, count):
                    if p[u] < _SMALL:
                        continue
                    k = found[u]
                    much = steep * (1.0 - p[t]) if u == t else -steep * p[u]
                    at = slot[min(j, k), max(j, k)]
                    for a in range(kinds):
                        for c in range(kinds):
                            curve[at, a, c] += much * ratio[a] * ratio[c]
    return value, loads, masses, curve


def shift(level: Level, near: Labels, centres: Floats, moved: Floats, prices: Floats, eps: Floats) -> Floats:
    """Return how loads, shape (K, A), would change to first order if the centres moved and the prices did not."""
    parts = in_parts(lambda first, last: _shift(level, near, centres, moved, prices, eps, first, last), len(near))
    change = parts[0]
    for more in parts[1:]:
        change += more
    return change


@compiled
def _shift(
    level: Level, near: Labels, centres: Floats, moved: Floats, prices: Floats, eps: Floats, start: int, end: int
) -> Floats:
    territories, kinds = prices.shape
    units = level.units
    out = np.zeros((territories, kinds))
    found = np.empty(near.shape[1], np.int32)
    p = np.empty(near.shape[1])
    dearer = np.empty(near.shape[1])
    for b in range(start, end):
        count = _contenders(level, b, near[b], centres, prices, _FAR * eps[b], found, p)
        if count == 1:
            continue
        for i in range(level.starts[b], level.starts[b + 1]):
            least = _pays(level, i, found, count, centres, prices, p)
            _shares(p, count, least, eps[b])
            mean = 0.0
            for t in range(count):
                if p[t] == 0.0:
                    continue
                j = found[t]
                dearer[t] = (centres[j, 0] - moved[j, 0]) * (
                    2.0 * units.xy[i, 0] - moved[j, 0] - centres[j, 0]
                ) + (centres[j, 1] - moved[j, 1]) * (2.0 * units.xy[i, 1] - moved[j, 1] - centres[j, 1])
                mean += p[t] * dearer[t]
            for t in range(count):
                if p[t] > _SMALL:
                    much = p[t] * (dearer[t] - mean) / eps[b]
                    for a in range(kinds):
                        out[found[t], a] -= much * units.measures[i, a]
    return out


def label(level: Level, near: Labels, centres: Floats, prices: Floats) -> Labels:
    """Return each unit's cheapest territory, shape (n,)."""
    out = np.empty(len(level.units.xy), np.int32)
    in_parts(lambda first, last: _label(level, near, centres, prices, out, first, last), len(near))
    return out


@compiled
def _label(
    level: Level, near: Labels, centres: Floats, prices: Floats, out: Labels, start: int, end: int
) -> None:
    found = np.empty(near.shape[1], np.int32)
    pay = np.empty(near.shape[1])
    for b in range(start, end):
        count = _contenders(level, b, near[b], centres, prices, 0.0, found, pay)
        for i in range(level.starts[b], level.starts[b + 1]):
            least = _pays(level, i, found, count, centres, prices, pay)
            for t in range(count):
                if pay[t] == least:
                    out[i] = found[t]
                    break


def exact_value(level: Level, permitted: Flags, centres: Floats, prices: Floats) -> float:
    """Return sum_i w_i min_j over all permitted territories, permitted of shape (kinds, K), without smoothing."""
    near = np.full((len(permitted), len(centres)), -1, np.int32)
    for kind in range(len(permitted)):
        may = np.flatnonzero(permitted[kind])
        near[kind, : len(may)] = may
    return sum(
        in_parts(
            lambda first, last: _exact_value(level, near, centres, prices, first, last), len(level.block_weight)
        )
    )


@compiled
def _exact_value(
    level: Level, near: Labels, centres: Floats, prices: Floats, start: int, end: int
) -> float:
    value = 0.0
    found = np.empty(near.shape[1], np.int32)
    pay = np.empty(near.shape[1])
    for b in range(start, end):
        count = _contenders(level, b, near[level.block_kind[b]], centres, prices, 0.0, found, pay)
        for i in range(level.starts[b], level.starts[b + 1]):
            value += level.units.weight[i] * _pays(level, i, found, count, centres, prices, pay)
    return value


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
                j, k = near[b, t], near[b, u]
                if j < 0 or k < 0:
                    continue
                j, k = min(j, k), max(j, k)
                if slot[j, k] < 0:
                    slot[j, k] = count
                    count += 1
    return slot, count
