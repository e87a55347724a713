"""python -m tests.bench.design.ours JOB ARGUMENTS OUT.npz: the engine, called as its users do, in its own process.

The jobs are the public functions below; their docstrings tell which arrays they write.
"""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.solving import propose
from services.assignment.design.engine.what_if import one_fewer, one_more
from tests.bench.design import du_family
from tests.bench.design.instances import Instance, accounts, counties, load
from tests.bench.design.measured import Clock, Cost, median, report
from tests.bench.design.score import moved, score
from tests.bench.design.today import last_year

TOLERANCE = 0.05
FARTHER = 1.05
"""How much farther than greenfield a realigned plan may travel."""
SAMPLES, LONG_S = 3, 5.0
"""How often a design is measured, unless it takes so many CPU seconds."""
STAYS = tuple(0.05 * 2**power for power in range(8))
HALVINGS = 5
STAY_IN_WHAT_IF, QUESTIONS = 1.0, 5


def design(path: str, territories: str, tolerance: str, out: str) -> None:
    """Design, and again if that is cheap: labels and centres. The cost is the median. Note: `told`, and how many samples."""
    problem = problem_of(load(Path(path)), int(territories), tolerance=float(tolerance))
    warm_up()
    costs: list[Cost] = []
    proposals: list[Proposal] = []
    while not costs or (len(costs) < SAMPLES and costs[0].cpu_s < LONG_S):
        clock = Clock()
        proposals.append(propose(problem))
        costs.append(clock.cost(**told(proposals[0])))
    first = proposals[0]
    if not all(np.array_equal(first.labels, again.labels) for again in proposals):
        sys.exit("the same problem gave different proposals")
    report(Path(out), median(costs), first.labels, first.centres)


def seeds(path: str, territories: str, number: str, out: str) -> None:
    """Design with the seeds from 0: labels of each. Note: how many hold, and what the others lack."""
    instance, count = load(Path(path)), int(territories)
    warm_up()
    problem = problem_of(instance, count)
    clock = Clock()
    lacking = {}
    for seed in range(int(number)):
        found = score(instance, propose(problem, Effort(seed=seed)).labels.astype(np.int64), count)
        if not found.holds(TOLERANCE):
            lacking[seed] = f"{100 * max(found.deviation):.2f} %, {found.broken} broken, {found.empty} empty"
    report(Path(out), clock.cost(lacking=lacking))


def family(out: str) -> None:
    """Design each instance of the family of three measures: labels of each. Note: the CPU seconds of each."""
    warm_up(du_family.MEASURES)
    clock, seconds, labels = Clock(), [], []
    for instance, territories in du_family.family():
        one = Clock()
        problem = problem_of(instance, territories, measures=du_family.MEASURES)
        labels.append(propose(problem).labels)
        seconds.append(one.cost().cpu_s)
    report(Path(out), clock.cost(seconds=seconds), *labels)


def realign(path: str, territories: str, out: str) -> None:
    """Realign today's plan: labels of today, of greenfield, and of the plan with the fewest moves that is near enough.

    Note: `least_moved`, the share of the measure that has to move at least; `stay`, what a move was made to cost; and
    the `frontier`: stay, units moved, km farther than greenfield, all as shares. The cost is that of all plans tried.
    """
    instance, count = load(Path(path)), int(territories)
    warm_up()
    today = propose(problem_of(last_year(instance), count)).labels
    green = propose(problem_of(instance, count)).labels
    travel = score(instance, green.astype(np.int64), count).wd
    clock, frontier = Clock(), []
    best, best_stay, least_moved = green, 0.0, 0.0

    def attempt(stay: float) -> bool:
        """Tell whether the plan is balanced, whole, and near enough."""
        nonlocal best, best_stay, least_moved
        proposal = propose(problem_of(instance, count, incumbents=today, stay=stay))
        found = score(instance, proposal.labels.astype(np.int64), count)
        share = moved(today, proposal.labels) / instance.units
        frontier.append([stay, share, found.wd / travel - 1, max(found.deviation), found.broken])
        good = found.holds(TOLERANCE) and found.wd <= FARTHER * travel
        if good and (best is green or share < moved(today, best) / instance.units):
            best, best_stay, least_moved = proposal.labels, stay, float(proposal.least_moved[0])
        return good

    low = max((stay for stay in STAYS if attempt(stay)), default=0.0)
    high = 2 * low or STAYS[0]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if attempt(middle) else (low, middle)
    if best is green:
        sys.exit(f"no realigned plan is balanced, whole and near enough; tried: {frontier}")
    note = {"least_moved": least_moved, "stay": best_stay, "frontier": frontier}
    report(Path(out), clock.cost(**note), today, green, best)


def what_if(path: str, territories: str, out: str) -> None:
    """Ask what one rep more and one fewer would do: labels of the plan; then for each of both: those before the change in
    the numbers after it (-1 for units whose rep left), those after it, and those of realigning all.

    Note: wall and CPU seconds of each question, medians of warm ones, and CPU seconds of realigning. The one who leaves had a territory in the
    middle of the list.
    """  # noqa: D205 - one sentence
    instance, count = load(Path(path)), int(territories)
    warm_up()
    problem = problem_of(instance, count)
    plan = propose(problem).labels
    clock, answers = Clock(), []
    seconds, cpu, whole_cpu = [], [], []
    for ask in (lambda: one_more(problem, plan), lambda: one_fewer(problem, plan, count // 2)):
        took = []
        for _ in range(QUESTIONS + 1):
            one = Clock()
            after, found = ask()
            took.append(one.cost())
        # The first has kernels to load that a design does not need.
        seconds.append(statistics.median(cost.wall_s for cost in took[1:]))
        cpu.append(statistics.median(cost.cpu_s for cost in took[1:]))
        one = Clock()
        whole = propose(replace(after, stay=STAY_IN_WHAT_IF)).labels
        whole_cpu.append(one.cost().cpu_s)
        before = plan if after.incumbents is None else after.incumbents
        answers += [before, found.labels, whole]
    report(Path(out), clock.cost(seconds=seconds, cpu=cpu, whole_cpu=whole_cpu), plan, *answers)


def problem_of(
    instance: Instance,
    territories: int,
    *,
    tolerance: float = TOLERANCE,
    measures: Sequence[int] = (0,),
    **rest: Any,
) -> Problem:
    """Ask for territories of equal size."""
    return Problem(
        xy=instance.xy,
        weight=instance.weight,
        measures=np.ascontiguousarray(instance.measures[:, list(measures)]),
        targets=np.ones((territories, len(measures))),
        tolerance=np.full(len(measures), tolerance),
        adjacency=Adjacency(instance.starts.astype(np.int64), instance.targets.astype(np.int32)),
        **rest,
    )


def told(proposal: Proposal) -> dict[str, Any]:
    """Return what the engine says of its own proposal."""
    return {
        "gap": proposal.gap,
        "cost": proposal.cost,
        "bound": proposal.bound,
        "feasible": proposal.feasible,
        "why": [one.code for one in proposal.why],
    }


def warm_up(measures: Sequence[int] = (0,)) -> None:
    """Have the kernels loaded, as in a worker that has been up for a while: those for lumpy units, too."""
    propose(problem_of(accounts(2_000), 20, measures=measures))
    propose(problem_of(counties(), 30, measures=measures))


JOBS = {job.__name__: job for job in (design, seeds, family, realign, what_if)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
