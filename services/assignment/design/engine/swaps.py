"""Two units that change places over a border: what moves of one unit cannot do where both territories are full."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.local_search import stays_whole
from services.assignment.design.engine.plan import Plan, move, out_of_band, stay_change, travel_change

_QUEUE = 300
_PER_PAIR = 8
# Of a longer border so many units are tried, those that would move for least: all with all would take minutes. Small units
# need fewer to choose from.
_MOST_OF_A_BORDER, _MOST_SMALL = 40, 16
_SMALL = 300


def swap(plan: Plan, adjacency: Adjacency, *, whole: bool) -> int:
    """Swap units of neighbouring territories while that saves travel or mends balance; return how many swaps."""
    unit, towards = _borders(plan.labels, adjacency.starts, adjacency.targets)
    territories = len(plan.weight)
    key = plan.labels[unit].astype(np.int64) * territories + towards
    order = np.argsort(key, kind="stable")
    unit, key = unit[order], key[order]
    pairs, first = np.unique(key, return_index=True)
    ends = np.append(first[1:], len(key))
    place = {int(pair): number for number, pair in enumerate(pairs)}
    found = 0
    most = _MOST_OF_A_BORDER if len(plan.labels) < _SMALL * territories else _MOST_SMALL
    queue, mark = np.empty(_QUEUE, np.int64), np.zeros(len(plan.labels), np.int64)
    stamp = np.ones(1, np.int64)
    for number, pair in enumerate(pairs.tolist()):
        j, k = divmod(pair, territories)
        other = place.get(k * territories + j)
        if j > k or other is None:
            continue
        here = _readiest(plan, unit[first[number] : ends[number]], j, k, most)
        there = _readiest(plan, unit[first[other] : ends[other]], k, j, most)
        found += _swap_pair(
            plan, adjacency.starts, adjacency.targets, here, there, j, k, whole, queue, mark, stamp
        )
    return found


def _readiest(plan: Plan, units: Integers, j: int, k: int, most: int) -> Integers:
    """Return those of the units of j whose travel to k is least dear, at most so many, in their order."""
    if len(units) <= most:
        return units
    dearer = _dearer_there(plan, units, j, k)
    return units[np.sort(np.argpartition(dearer, most)[:most])]


@compiled
def _dearer_there(plan: Plan, units: Integers, j: int, k: int) -> Floats:
    out = np.empty(len(units))
    for s in range(len(units)):
        i = units[s]
        out[s] = travel_change(plan, j, i, -1.0) + travel_change(plan, k, i, 1.0) + stay_change(plan, i, j, k)
    return out


@compiled
def _borders(labels: Labels, starts: Integers, targets: Labels) -> tuple[Integers, Labels]:
    """Return units with each other territory that they touch, once."""
    most = 0
    for i in range(len(labels)):
        for e in range(starts[i], starts[i + 1]):
            most += labels[targets[e]] != labels[i]
    unit, towards = np.empty(most, np.int64), np.empty(most, np.int32)
    count = 0
    for i in range(len(labels)):
        begin = count
        for e in range(starts[i], starts[i + 1]):
            k = labels[targets[e]]
            known = k == labels[i]
            for t in range(begin, count):
                known = known or towards[t] == k
            if not known:
                unit[count], towards[count] = i, k
                count += 1
    return unit[:count], towards[:count]


@compiled
def _band_swap(plan: Plan, j: int, i: int, h: int) -> float:
    """Return how much dearer territory j's loads get if it gives unit i for unit h."""
    change = 0.0
    for a in range(plan.loads.shape[1]):
        load, low, high = plan.loads[j, a], plan.low[j, a], plan.high[j, a]
        after = load - plan.units.measures[i, a] + plan.units.measures[h, a]
        change += plan.price[j, a] * (out_of_band(after, low, high) - out_of_band(load, low, high))
    return change


@compiled
def _travel_swap(plan: Plan, j: int, i: int, h: int) -> float:
    """Return how much dearer territory j's travel gets if it gives unit i for unit h; without a home exact."""
    if plan.pull > 0.0:
        return travel_change(plan, j, i, -1.0) + travel_change(plan, j, h, 1.0)
    units = plan.units
    out, into, total = units.weight[i], units.weight[h], plan.weight[j]
    mx, my = plan.sums[j, 0] / total, plan.sums[j, 1] / total
    ix, iy = units.xy[i, 0] - mx, units.xy[i, 1] - my
    hx, hy = units.xy[h, 0] - mx, units.xy[h, 1] - my
    after = total - out + into
    if after <= 0.0:
        return 0.0
    dx, dy = into * hx - out * ix, into * hy - out * iy
    return float(into * (hx * hx + hy * hy) - out * (ix * ix + iy * iy) - (dx * dx + dy * dy) / after)


@compiled
def _touches(i: int, k: int, but: int, labels: Labels, starts: Integers, targets: Labels) -> bool:
    for e in range(starts[i], starts[i + 1]):
        if labels[targets[e]] == k and targets[e] != but:
            return True
    return False


@compiled
def _swap_pair(
    plan: Plan,
    starts: Integers,
    targets: Labels,
    here: Integers,
    there: Integers,
    j: int,
    k: int,
    whole: bool,  # noqa: FBT001
    queue: Integers,
    mark: Integers,
    stamp: Integers,
) -> int:
    """Swap units of j that touch k, `here`, with units of k that touch j, `there`; return how many swaps."""
    labels, units = plan.labels, plan.units
    barred = np.zeros((len(here), len(there)), np.bool_)
    swaps = 0
    for _ in range(_PER_PAIR):
        best_i, best_h, least = -1, -1, -1e-9
        for s in range(len(here)):
            i = here[s]
            if labels[i] != j or not plan.movable[i] or not plan.permitted[units.kinds[i], k]:
                continue
            for t in range(len(there)):
                h = there[t]
                if (
                    barred[s, t]
                    or labels[h] != k
                    or not plan.movable[h]
                    or not plan.permitted[units.kinds[h], j]
                ):
                    continue
                change = _travel_swap(plan, j, i, h) + _travel_swap(plan, k, h, i)
                change += stay_change(plan, i, j, k) + stay_change(plan, h, k, j)
                change += _band_swap(plan, j, i, h) + _band_swap(plan, k, h, i)
                if change < least:
                    best_i, best_h, least = s, t, change
        if best_i < 0:
            break
        i, h = here[best_i], there[best_h]
        barred[best_i, best_h] = True
        if whole:
            stamp[0] += 2
            fits = _touches(i, k, h, labels, starts, targets) and _touches(h, j, i, labels, starts, targets)
            if not fits or not stays_whole(i, labels, starts, targets, mark, stamp[0], queue):
                continue
        move(plan, i, k)
        stamp[0] += 2
        if whole and not stays_whole(h, labels, starts, targets, mark, stamp[0], queue):
            move(plan, i, j)
            continue
        move(plan, h, j)
        swaps += 1
    return swaps
