"""What a proposal says, worked out again from its labels alone, the plain way: nothing of the engine is used."""

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.contiguity import Adjacency
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.short_of import ShortOf

# What the engine takes for equal: a millionth of a target.
_ALMOST = 1e-6
_NAMES = {
    ShortOf.UNIT_TOO_LARGE: "measure",
    ShortOf.OUT_OF_TOLERANCE: "measure",
    ShortOf.EMPTY: "empty",
    ShortOf.IN_PARTS: "parts",
    ShortOf.MOST_MOVED: "most_moved",
    ShortOf.LEAST_UNITS: "least_units",
    ShortOf.MOST_UNITS: "most_units",
}


def targets(problem: Problem) -> Floats:
    """Return what each territory should hold, shape (K, A), in the measures' own units."""
    return problem.targets / problem.targets.sum(axis=0) * problem.measures.sum(axis=0)


def loads(problem: Problem, labels: Labels) -> Floats:
    """Return what each territory holds, shape (K, A)."""
    held = np.zeros((problem.territories, problem.measures.shape[1]))
    for unit, territory in enumerate(labels):
        held[territory] += problem.measures[unit]
    return held


def deviation(problem: Problem, labels: Labels) -> Floats:
    """Return the largest deviation of each measure, shape (A,)."""
    return np.abs(off_target(problem, labels)).max(axis=0)


def off_target(problem: Problem, labels: Labels) -> Floats:
    """Return how far each load is off its target, as a share of it, shape (K, A)."""
    return loads(problem, labels) / targets(problem) - 1


def parts(adjacency: Adjacency, labels: Labels, territories: int) -> Integers:
    """Return in how many parts each territory is, shape (K,)."""
    return np.bincount([labels[part[0]] for part in _walked(adjacency, labels)], minlength=territories)


def torn(problem: Problem, adjacency: Adjacency, labels: Labels) -> Flags:
    """Tell which territories, shape (K,), have a part beside their heaviest in which no unit has to be."""
    held = np.zeros(len(labels), bool) if problem.fixed is None else problem.fixed >= 0
    out = np.zeros(problem.territories, bool)
    beside = np.zeros(problem.territories, bool)
    for part in sorted(_walked(adjacency, labels), key=lambda part: -problem.weight[part].sum()):
        out[labels[part[0]]] |= beside[labels[part[0]]] and not held[part].any()
        beside[labels[part[0]]] = True
    return out


def _walked(adjacency: Adjacency, labels: Labels) -> list[list[int]]:
    """Return the parts that territories are in, each as its units."""
    found: list[list[int]] = []
    seen = [False] * len(labels)
    for first in range(len(labels)):
        if seen[first]:
            continue
        seen[first] = True
        waiting, part = [first], [first]
        found.append(part)
        while waiting:
            unit = waiting.pop()
            for other in adjacency.targets[adjacency.starts[unit] : adjacency.starts[unit + 1]]:
                if not seen[other] and labels[other] == labels[unit]:
                    seen[other] = True
                    waiting.append(int(other))
                    part.append(int(other))
    return found


def centres(problem: Problem, labels: Labels) -> Floats:
    """Return where travel starts, shape (K, 2): between the middle and home; nan without units."""
    out = np.full((problem.territories, 2), np.nan)
    for territory in range(problem.territories):
        mine = labels == territory
        if not mine.any():
            continue
        out[territory] = np.average(problem.xy[mine], axis=0, weights=problem.weight[mine])
        if problem.homes is not None and not np.isnan(problem.homes[territory]).any():
            out[territory] += problem.pull * (problem.homes[territory] - out[territory])
    return out


def distances(problem: Problem, labels: Labels, middle: Floats) -> Floats:
    """Return how far each unit is from its territory's centre, shape (n,), in km."""
    return np.hypot(*(problem.xy - middle[labels]).T)


def cost(problem: Problem, labels: Labels, middle: Floats) -> float:
    """Return the weighted squared distance to these centres."""
    return float((problem.weight * distances(problem, labels, middle) ** 2).sum())


def moved(problem: Problem, labels: Labels) -> tuple[float, int]:
    """Return the share of move_value that goes elsewhere, and how many units do."""
    if problem.incumbents is None or (problem.incumbents < 0).all():
        return 0.0, 0
    value = np.ones(problem.units) if problem.move_value is None else problem.move_value
    known = problem.incumbents >= 0
    gone = known & (problem.incumbents != labels)
    return float(value[gone].sum() / value[known].sum()), int(gone.sum())


def broken(problem: Problem, labels: Labels) -> dict[str, set[int]]:
    """Return the hard limits that the labels do not keep, each with the territories that do not."""
    found = dict[str, set[int]]()
    hard = np.ones(problem.measures.shape[1], bool) if problem.soft is None else ~problem.soft
    out = np.abs(off_target(problem, labels)) > problem.tolerance + _ALMOST
    count = np.bincount(labels, minlength=problem.territories)
    found["measure"] = _numbers(out[:, hard].any(axis=1))
    found["empty"] = _numbers(count == 0)
    if problem.adjacency is not None:
        found["parts"] = _numbers(torn(problem, problem.adjacency, labels))
    size = count if problem.counts is None else np.bincount(labels, problem.counts, problem.territories)
    if problem.least_units is not None:
        found["least_units"] = _numbers(size < problem.least_units)
    if problem.most_units is not None:
        found["most_units"] = _numbers(size > problem.most_units)
    found = {name: territories for name, territories in found.items() if territories}
    if moved(problem, labels)[0] > problem.most_moved + _ALMOST:
        found["most_moved"] = set()
    return found


def told(proposal: Proposal) -> dict[str, set[int]]:
    """Return the hard limits that the proposal says it does not keep, each with the territories that do not."""
    found = dict[str, set[int]]()
    for one in proposal.why:
        found.setdefault(_NAMES[one.code], set()).update(one.territories)
        if one.measure is not None:
            assert one.figure == np.float64(proposal.deviation[one.measure])
        elif one.code is ShortOf.MOST_MOVED:
            assert one.figure == proposal.moved
    return found


def _numbers(flags: Flags) -> set[int]:
    return set(np.flatnonzero(flags).tolist())
