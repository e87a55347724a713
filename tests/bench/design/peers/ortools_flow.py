"""Location and allocation in turn (Hess 1965, Fleischmann and Paraschis 1988), with OR-tools' min-cost flow allocating.

Ten rounds from the means of a recursive bisection. A unit that a flow splits goes where most of it goes.
"""

from typing import Any

import numpy as np
from ortools.graph.python import min_cost_flow
from scipy.spatial import cKDTree

from tests.bench.design.geography import Floats, Integers
from tests.bench.design.instances import Instance
from tests.bench.design.peers.bisection import bisected, means

ROUNDS = 10
ARCS = 12
"""Territories that a unit may go to: the nearest."""
FLOW, COST = 10**10, 10**7
"""Flows are whole numbers: so fine is all load, and the longest arc. Their product stays far below 2^63."""


def solve(instance: Instance, territories: int, band: float) -> tuple[Integers, dict[str, Any]]:
    """Return labels. band: how far a load may be off in the flow; what splits are rounded to comes on top."""
    load, weight = instance.measures[:, 0], instance.weight
    labels = bisected(instance.xy, load, territories)
    for _ in range(ROUNDS):
        centres = means(instance.xy, weight, labels, territories)
        near, _, taken = allocate(instance.xy, load, centres, band)
        labels = near[np.arange(instance.units), taken.argmax(axis=1)]
    return labels, {}


def allocate(xy: Floats, load: Floats, centres: Floats, band: float) -> tuple[Integers, Floats, Floats]:
    """Return the cheapest allocation with loads within the band of the mean.

    That is the territories that a unit may go to, shape (n, arcs), how far each is, squared, and the share of the unit
    that goes there.
    """
    n, territories = len(xy), len(centres)
    arcs = min(ARCS, territories)
    distance, near = cKDTree(centres).query(xy, k=arcs)
    near = near.reshape(n, arcs)
    square = distance.reshape(n, arcs) ** 2
    supply = np.maximum(1, np.round(load * (FLOW / load.sum()))).astype(np.int64)
    low, high = (int((1 + side * band) * supply.sum() / territories) for side in (-1, 1))
    flow = min_cost_flow.SimpleMinCostFlow()
    cost = np.round(square.ravel() * (COST / square.max())).astype(np.int64)
    to_centres = flow.add_arcs_with_capacity_and_unit_cost(
        np.repeat(np.arange(n), arcs), n + near.ravel(), np.repeat(supply, arcs), cost
    )
    every, sink = n + np.arange(territories), n + territories
    nothing = np.zeros(territories, np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(
        every, np.full(territories, sink), nothing + high - low, nothing
    )
    # Where a place has more than its territories may hold, the rest is let go at a high price.
    flow.add_arcs_with_capacity_and_unit_cost(np.arange(n), np.full(n, sink), supply, np.full(n, 10 * COST))
    flow.set_nodes_supplies(np.arange(n), supply)
    flow.set_nodes_supplies(every, nothing - low)
    flow.set_nodes_supplies(np.array([sink]), np.array([low * territories - supply.sum()]))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"no flow: {status}")
    taken = flow.flows(to_centres).reshape(n, arcs)
    return near.astype(np.int64), square, taken / supply[:, None]
