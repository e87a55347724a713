"""Measures that oppose each other: what is within reach, how the engine tells it, and what telling it costs.

python -m tests.bench.design.opposed INSTANCE.npz TERRITORIES OUT.npz designs for two measures of an instance and looks for
the frontier, in its own process.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from services.assignment.design.engine.frontier import frontier
from services.assignment.design.engine.solving import propose
from tests.bench.design.cases import INSTANCES, result
from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance, kept, load
from tests.bench.design.measured import Clock, report, run
from tests.bench.design.ours import problem_of, warm_up
from tests.bench.design.score import Score, score
from tests.bench.report import Result

MEASURES = (0, 1)
"""Population and income: what a head has varies from region to region."""


def frontier_case(place: str, territories: int) -> list[Result]:
    """What is within reach of two measures of an instance; value: what freeing the binding one brings, in % off.

    floor: how far off the others are in the plan itself.
    """
    arguments = (str(kept(INSTANCES[place])), str(territories))
    (own, *plans), cost = run("tests.bench.design.opposed", *arguments, limit_s=3_600)
    instance, note = load(kept(INSTANCES[place])), cost.note
    found = [_scored(instance, labels, territories) for labels in (own, *plans)]
    binding = note["binding"]
    name = instance.names[binding["measure"]]
    told = "; ".join(_told(one) for one in found[1:])
    return [
        result(
            f"frontier-{place}-{territories}",
            100 * binding["others_to"],
            "% off, of the others",
            floor=100 * binding["others_from"],
            note=f"{name} binds: freed from {100 * binding['freed_from']:.1f} to {100 * binding['freed_to']:.1f} %; "
            f"the plan {_told(found[0])}, CPU {note['plan_s']:.1f} s; {len(plans)} within reach in CPU {note['frontier_s']:.1f} s, "
            f"{'/'.join(instance.names[a] for a in MEASURES)}: {told}",
        )
    ]


def _scored(instance: Instance, labels: Integers, territories: int) -> Score:
    return score(instance, labels.astype(np.int64), territories, MEASURES)


def _told(one: Score) -> str:
    wrong = f", {one.broken} broken" * bool(one.broken) + f", {one.empty} empty" * bool(one.empty)
    return "/".join(f"{100 * off:.1f}" for off in one.deviation) + f" % {one.wd:.0f} km{wrong}"


def look(path: str, territories: str, out: str) -> None:
    """Write labels of the plan, and of what is within reach. Note: the binding measure, and CPU seconds of both."""
    instance = load(Path(path))
    warm_up(MEASURES)
    problem = problem_of(instance, int(territories), measures=MEASURES)
    clock = Clock()
    proposal = propose(problem)
    plan_s = clock.cost().cpu_s
    found = frontier(problem, proposal)
    if found is None or found.binding_measure is None:
        sys.exit("these measures do not oppose each other")
    binding: dict[str, Any] = {
        name: getattr(found.binding_measure, name)
        for name in ("measure", "freed_from", "freed_to", "others_from", "others_to", "mean_km")
    }
    labels = [point.labels for point in found.points]
    note = clock.cost(binding=binding, plan_s=plan_s, frontier_s=clock.cost().cpu_s - plan_s)
    report(Path(out), note, proposal.labels, *labels)


if __name__ == "__main__":
    look(*sys.argv[1:])
