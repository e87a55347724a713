"""A plan that a year has put out of balance: what a realignment begins with."""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from tests.bench.design.geography import Floats
from tests.bench.design.instances import Instance

REGIONS, SEED = 10, 5
GROWN_FROM = 0.6
"""One region of ten had this share of what it has now."""
SHOCK = 0.15
"""How much each unit changed by chance: the standard deviation of the logarithm."""


def last_year(now: Instance) -> Instance:
    """Return the units with what they had a year ago; today's plan was designed on that."""
    random = np.random.default_rng(SEED)
    region = cKDTree(_middles(now.xy, now.weight, random)).query(now.xy)[1]
    change = np.where(region == 0, GROWN_FROM, 1.0) * random.lognormal(0, SHOCK, now.units)
    return replace(now, measures=now.measures * change[:, None])


def _middles(xy: Floats, weight: Floats, random: np.random.Generator) -> Floats:
    """Return the middles of regions: seeds of k-means++, moved a dozen times to the means of what is nearest."""
    middles = np.empty((REGIONS, 2))
    middles[0] = xy[random.choice(len(xy), p=weight / weight.sum())]
    square = ((xy - middles[0]) ** 2).sum(axis=1)
    for place in range(1, REGIONS):
        chance = np.cumsum(weight * square)
        middles[place] = xy[np.searchsorted(chance, random.random() * chance[-1])]
        square = np.minimum(square, ((xy - middles[place]) ** 2).sum(axis=1))
    for _ in range(12):
        nearest = cKDTree(middles).query(xy)[1]
        total = np.bincount(nearest, weight, REGIONS)
        sums = [np.bincount(nearest, weight * xy[:, axis], REGIONS) for axis in (0, 1)]
        middles = np.column_stack(sums) / total[:, None]
    return middles
