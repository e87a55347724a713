"""Runs ours and the peers on an instance, and scores both alike."""

import json
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.design.geography import Floats, Integers
from tests.bench.design.instances import kept, load
from tests.bench.design.measured import Cost, run
from tests.bench.design.peers.environment import python_of_peers
from tests.bench.design.score import Score, score

OURS, PEERS = "tests.bench.design.ours", "tests.bench.design.peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Labels, how good they are, what they took; ours has centres (K, 2), too."""

    labels: Integers
    score: Score
    cost: Cost
    centres: Floats | None = None

    @property
    def samples(self) -> int:
        """How many runs the times are the median of."""
        return int(self.cost.note.get("samples", 1))

    def told(self) -> str:
        """Say it in a line."""
        one = self.score
        deviation = "/".join(f"{100 * off:.1f}" for off in one.deviation)
        wrong = f", {one.broken} broken" * bool(one.broken) + f", {one.empty} empty" * bool(one.empty)
        return f"{deviation} % off{wrong}, {one.wd:.1f} km, CPU {self.cost.cpu_s:.2f} s, {self.cost.peak_mb:.0f} MB"


def ours(instance: str, territories: int, *, tolerance: float = 0.05, threads: int = 1) -> Outcome:
    """Design by the engine. RuntimeError where the same problem gave different plans."""
    arguments = ("design", str(kept(instance)), str(territories), str(tolerance))
    (labels, centres), cost = run(OURS, *arguments, threads=threads, limit_s=1_800)
    return replace(outcome(instance, territories, labels, cost), centres=centres)


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
