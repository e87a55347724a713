"""METIS: multilevel k-way partitioning of the graph, load within 5 %, parts connected; it minimises the cut.

On lumpy or dense places whether the load comes out within 5 % hangs on the seed, so it has six: the least travel of
those that hold counts, else the least deviation, at the CPU of one.
"""

from typing import Any

import numpy as np
import pymetis

from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance
from tests.bench.design.score import score

SEEDS, WITHIN = 6, 0.05


def solve(instance: Instance, territories: int) -> tuple[Integers, dict[str, Any]]:
    """Return labels, and among how many runs they were chosen."""
    load = instance.measures[:, 0]
    graph = pymetis.CSRAdjacency(instance.starts.tolist(), instance.targets.tolist())
    weights = np.maximum(1, np.round(load / load.sum() * 1e9)).astype(np.int64).tolist()
    found = []
    for seed in range(SEEDS):
        options = pymetis.Options(ufactor=round(1000 * WITHIN), contig=1, seed=seed)
        labels = np.array(
            pymetis.part_graph(
                territories, adjacency=graph, vweights=weights, recursive=False, options=options
            )[1],
            np.int64,
        )
        one = score(instance, labels, territories)
        off = max(one.deviation) - WITHIN
        # METIS rounds: within a twentieth of a percent counts as within.
        found.append(((0.0, one.wss) if off < 5e-4 and not one.empty else (off, one.wss), seed, labels))
    return min(found, key=lambda one: one[:2])[2], {"runs": SEEDS}
