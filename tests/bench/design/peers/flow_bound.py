"""The least that an allocation to given centres can cost, units split as it likes: OR-tools' flow, an oracle for bounds.

Exact where travel counts by what is balanced, as it does with people in ZIPs; a unit has its 12 nearest centres alone, so
the cost may be a little above the least.
"""

from typing import Any

import numpy as np

from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance
from tests.bench.design.peers.ortools_flow import allocate


def solve(
    instance: Instance, territories: int, centres: list[list[float]], band: float
) -> tuple[Integers, dict[str, Any]]:
    """Return labels, and the cost of the allocation before splits are rounded, in km² times weight."""
    load = instance.measures[:, 0]
    near, square, share = allocate(instance.xy, load, np.array(centres).reshape(territories, 2), band)
    cost = float((instance.weight[:, None] * share * square).sum())
    return near[np.arange(instance.units), share.argmax(axis=1)], {"cost": cost}
