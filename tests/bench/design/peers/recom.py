"""GerryChain's ReCom for 60 CPU seconds: two neighbours are joined and cut anew along a random spanning tree.

It begins with a recursive tree partition within 5 %; a step is kept where it does not raise the weighted spread.
"""

import time
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from gerrychain import Graph, MarkovChain, Partition, constraints, updaters
from gerrychain.proposals import build_recom_proposal_fn
from gerrychain.tree import bipartition_tree, recursive_tree_part

from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance

SECONDS, WITHIN = 60.0, 0.05


def solve(instance: Instance, territories: int) -> tuple[Integers, dict[str, Any]]:
    """Return labels, and how many steps were taken."""
    graph = _graph(instance)
    target = float(instance.measures[:, 0].sum() / territories)
    start = _begun(graph, territories, target)
    x, y = instance.xy.T
    weight = instance.weight

    def spread(partition: Partition) -> float:
        labels = np.array([partition.assignment[unit] for unit in range(instance.units)])
        total = np.bincount(labels, weight, territories)
        middle_x = np.bincount(labels, weight * x, territories) / total
        middle_y = np.bincount(labels, weight * y, territories) / total
        return float((weight * ((x - middle_x[labels]) ** 2 + (y - middle_y[labels]) ** 2)).sum())

    first = Partition(
        graph, start, {"population": updaters.Tally("load", alias="population"), "spread": spread}
    )
    chain = MarkovChain(
        build_recom_proposal_fn(
            pop_col="load",
            pop_target=target,
            epsilon=WITHIN,
            # Lumpy pairs have few cuts that balance: another pair is then taken instead of 100,000 trees.
            bipartition_tree_fn=partial(bipartition_tree, max_attempts=100, allow_pair_reselection=True),
        ),
        [constraints.within_percent_of_ideal_population(first, WITHIN)],
        lambda new: new.parent is None or new["spread"] <= new.parent["spread"],
        first,
        10**9,
        rng=0,
    )
    began, steps, last = time.process_time(), 0, first
    for last in chain:  # noqa: B007 - the last one is the answer
        steps += 1
        if time.process_time() - began > SECONDS:
            break
    labels = np.array([last.assignment[unit] for unit in range(instance.units)], np.int64)
    return labels, {"steps": steps}


def _begun(graph: Graph, territories: int, target: float) -> dict[int, int]:
    """Return the first recursive tree partition that comes about: not every one does with lumpy units."""
    for seed in range(100):
        try:
            split = partial(bipartition_tree, max_attempts=1_000, warn_attempts=1_001)
            return recursive_tree_part(graph, range(territories), target, "load", WITHIN, 1, split, rng=seed)
        except RuntimeError:
            continue
    raise RuntimeError("a hundred recursive tree partitions did not come about")


def _graph(instance: Instance) -> Any:
    graph = nx.Graph()
    for unit, load in enumerate(instance.measures[:, 0].tolist()):
        graph.add_node(unit, load=load)
    sources = np.repeat(np.arange(instance.units), np.diff(instance.starts))
    graph.add_edges_from(zip(sources.tolist(), instance.targets.tolist(), strict=True))
    return Graph.from_networkx(graph)
