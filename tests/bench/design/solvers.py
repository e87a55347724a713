"""Runs ours and the peers on an instance, and scores both alike."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.design.geography import Floats, Integers
from tests.bench.design.instances import kept, load
from tests.bench.design.measured import Cost, run
from tests.bench.design.peers.environment import python_of_peers
from tests.bench.design.score import Score, score

SAMPLES, LONG_S = 3, 5.0
"""How often ours is run, unless it takes so many CPU seconds."""
OURS, PEERS = "tests.bench.design.ours", "tests.bench.design.peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Labels, how good they are, what they took; ours has centres (K, 2), too."""

    labels: Integers
    score: Score
    cost: Cost
    centres: Floats | None = None
    samples: int = 1

    def told(self) -> str:
        """Say it in a line."""
        one = self.score
        deviation = "/".join(f"{100 * off:.1f}" for off in one.deviation)
        wrong = f", {one.broken} broken" * bool(one.broken) + f", {one.empty} empty" * bool(one.empty)
        return f"{deviation} % off{wrong}, {one.wd:.1f} km, CPU {self.cost.cpu_s:.2f} s, {self.cost.peak_mb:.0f} MB"


def ours(instance: str, territories: int, *, tolerance: float = 0.05, threads: int = 1) -> Outcome:
    """Design by the engine; times are medians. RuntimeError where the same problem gave different plans."""
    arguments = ("design", str(kept(instance)), str(territories), str(tolerance))
    runs = [run(OURS, *arguments, threads=threads)]
    while len(runs) < SAMPLES and runs[0][1].cpu_s < LONG_S:
        runs.append(run(OURS, *arguments, threads=threads))
    labels = runs[0][0][0]
    if not all(np.array_equal(labels, again[0]) for again, _ in runs):
        raise RuntimeError(f"{instance} {territories}: equal problems gave different proposals")
    found = outcome(instance, territories, labels, _median([cost for _, cost in runs]))
    return replace(found, centres=runs[0][0][1], samples=len(runs))


def peer(name: str, instance: str, territories: int, **options: object) -> Outcome:
    """Have a peer do it once, on one thread."""
    arguments = (name, str(kept(instance)), str(territories), json.dumps(options))
    (labels,), cost = run(PEERS, *arguments, python=python_of_peers())
    if "runs" in cost.note:
        cost = replace(cost, cpu_s=cost.cpu_s / cost.note["runs"])
    return outcome(instance, territories, labels, cost)


def outcome(instance: str, territories: int, labels: Integers, cost: Cost) -> Outcome:
    """Score by the first measure."""
    labels = labels.astype(np.int64)
    return Outcome(labels=labels, score=score(load(kept(instance)), labels, territories), cost=cost)


def _median(costs: Sequence[Cost]) -> Cost:
    return replace(
        costs[0],
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        wall_s=statistics.median(cost.wall_s for cost in costs),
        peak_mb=max(cost.peak_mb for cost in costs),
    )
