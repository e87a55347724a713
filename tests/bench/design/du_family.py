"""Commercial territory design after Rios-Mercado and Fernandez 2009: three measures, planar graphs, 5 % on each.

Rebuilt, because their 2DU and DU files come without a licence, from what those files show (2DU60-05-1, 2DU100-05-1,
DU200-05-1 in the public repository nguyenphongg233/Commercial-Territory-Design-Problem-with-Multiple-Balancing-
Requirements): units evenly over a square of 500, edges of a Gabriel graph (103, 174 and 386 there), a territory for
every 15 units, some 51,000 customers shared out by chance, demand and workload that go with them (a unit's vary as if
each customer had 1 to 5 of either), tolerance 0.05. The larger ones, 500 and 1,000 units in 10 to 40 territories, have the
sizes of their papers.
"""

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from tests.bench.design.geography import Floats, Integers, link, triangulated
from tests.bench.design.instances import Instance

SIDE, CUSTOMERS, MOST_PER_CUSTOMER = 500.0, 51_000, 5
TOLERANCE = 0.05
MEASURES = (0, 1, 2)
PUBLISHED = tuple((units, round(units / 15)) for units in (60, 80, 100, 120, 150, 200))
LARGER = ((500, 10), (500, 20), (500, 40), (1_000, 10), (1_000, 20), (1_000, 40))
SEEDS = 5
"""Instances of each size."""


def family() -> Iterator[tuple[Instance, int]]:
    """Yield each instance and how many territories it is to have."""
    for units, territories in (*PUBLISHED, *LARGER):
        for seed in range(SEEDS):
            yield make(units, seed), territories


def make(units: int, seed: int) -> Instance:
    """Make an instance; travel counts the same for each unit."""
    random = np.random.default_rng([seed, units])
    xy = random.uniform(0, SIDE, (units, 2))
    customers = random.multinomial(CUSTOMERS, np.full(units, 1 / units))
    each = np.full(MOST_PER_CUSTOMER, 1 / MOST_PER_CUSTOMER)
    amounts = np.arange(1, MOST_PER_CUSTOMER + 1)
    demand, workload = (random.multinomial(customers, each) @ amounts for _ in range(2))
    starts, targets = link(units, gabriel(xy))
    return Instance(
        name=f"du-{units}-{seed}",
        names=("customers", "demand", "workload"),
        xy=xy,
        measures=np.column_stack([customers, demand, workload]).astype(np.float64),
        weight=np.ones(units),
        starts=starts,
        targets=targets,
    )


def gabriel(xy: Floats) -> Integers:
    """Return the pairs, shape (m, 2), with no third point in the circle over them: planar, and always connected."""
    pairs = triangulated(xy)
    ends = xy[pairs]
    radius = np.sqrt(((ends[:, 0] - ends[:, 1]) ** 2).sum(axis=1)) / 2
    nearest = cKDTree(xy).query(ends.mean(axis=1))[0]
    return pairs[nearest >= radius * (1 - 1e-9)]
