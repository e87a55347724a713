"""A plan under work: labels, and what of each territory follows from them, kept up to date move by move."""

from typing import NamedTuple

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.level import Units

# What a load out of its band counts per share of a territory: at once more than travel can save, and more the further
# out, so that a surplus spreads over its neighbours.
_AT_ONCE = 1.0
_FURTHER = 10.0


class Plan(NamedTuple):
    """K territories of n units with A measures.

    labels (n,); weight (K,); sums (K, 2) of weight times place; loads (K, A); count (K,) of units; low, high (K, A), the
    band; price (K, A), what leaving it costs; homes (K, 2), nan for none, and pull; movable (n,), permitted (kinds, K); value (n,), what moving
    a unit away from its owner counts, and left (1,), how much of that may still be moved.
    """

    units: Units
    labels: Labels
    weight: Floats
    sums: Floats
    loads: Floats
    count: Integers
    low: Floats
    high: Floats
    price: Floats
    homes: Floats
    pull: float
    movable: Flags
    permitted: Flags
    value: Floats
    left: Floats


def tally(plan: Plan) -> None:
    """Add up anew what follows from the labels."""
    units, labels, territories = plan.units, plan.labels, len(plan.weight)
    plan.weight[:] = np.bincount(labels, units.weight, territories)
    plan.count[:] = np.bincount(labels, minlength=territories)
    for d in (0, 1):
        plan.sums[:, d] = np.bincount(labels, units.weight * units.xy[:, d], territories)
    for a in range(plan.loads.shape[1]):
        plan.loads[:, a] = np.bincount(labels, units.measures[:, a], territories)


@compiled
def out_of_band(load: float, low: float, high: float) -> float:
    """Return what a load counts for being out of its band."""
    over = load - high if load > high else low - load
    return over * (_AT_ONCE + _FURTHER * over) if over > 0.0 else 0.0


@compiled
def band_change(plan: Plan, j: int, i: int, sign: float) -> float:
    """Return how much dearer territory j's loads get if unit i joins it (sign 1) or leaves it (sign -1)."""
    change = 0.0
    for a in range(plan.loads.shape[1]):
        load, low, high = plan.loads[j, a], plan.low[j, a], plan.high[j, a]
        change += plan.price[j, a] * (
            out_of_band(load + sign * plan.units.measures[i, a], low, high) - out_of_band(load, low, high)
        )
    return change


@compiled
def travel_change(plan: Plan, j: int, i: int, sign: float) -> float:
    """Return how much dearer territory j's travel gets if unit i joins it (sign 1) or leaves it (sign -1).

    Exact: the mean moves with the unit (Hartigan and Wong, Applied Statistics 28, 1979). With a home that pulls, travel from
    between mean and home is the travel from the mean and pull squared times the weight's from mean to home.
    """
    w, total = plan.units.weight[i], plan.weight[j]
    x, y = plan.units.xy[i, 0], plan.units.xy[i, 1]
    after = total + sign * w
    if total <= 0.0:
        change = 0.0
        mx, my = x, y
    elif after <= 1e-9 * total:
        return 0.0
    else:
        mx, my = plan.sums[j, 0] / total, plan.sums[j, 1] / total
        change = sign * w * total / after * ((x - mx) ** 2 + (y - my) ** 2)
    if plan.pull > 0.0 and not np.isnan(plan.homes[j, 0]):
        hx, hy = plan.homes[j, 0], plan.homes[j, 1]
        nx, ny = (plan.sums[j, 0] + sign * w * x) / after, (plan.sums[j, 1] + sign * w * y) / after
        change += plan.pull**2 * (
            after * ((nx - hx) ** 2 + (ny - hy) ** 2) - total * ((mx - hx) ** 2 + (my - hy) ** 2)
        )
    return change


@compiled
def stay_change(plan: Plan, i: int, j: int, k: int) -> float:
    """Return how much dearer it gets if unit i goes from j to k, for its owner's sake."""
    owner = plan.units.owner[i]
    if owner == j:
        return plan.units.weight[i] * plan.units.bonus[i]
    if owner == k:
        return -plan.units.weight[i] * plan.units.bonus[i]
    return 0.0


@compiled
def move(plan: Plan, i: int, k: int) -> None:
    """Put unit i into territory k."""
    units, j = plan.units, plan.labels[i]
    w = units.weight[i]
    if units.owner[i] == j:
        plan.left[0] -= plan.value[i]
    elif units.owner[i] == k:
        plan.left[0] += plan.value[i]
    plan.labels[i] = k
    for side in range(2):
        territory, sign = (j, -1.0) if side == 0 else (k, 1.0)
        plan.weight[territory] += sign * w
        plan.sums[territory, 0] += sign * w * units.xy[i, 0]
        plan.sums[territory, 1] += sign * w * units.xy[i, 1]
        plan.count[territory] += 1 if side == 1 else -1
        for a in range(plan.loads.shape[1]):
            plan.loads[territory, a] += sign * units.measures[i, a]
