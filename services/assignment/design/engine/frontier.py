"""What can be reached where not all tolerances can be kept together, and which measure binds.

Measures oppose each other where their ratio varies over the map: no territories of equal population have equal income
where income per head differs by region. No single plan answers that. So tolerances are loosened, one measure at a time and
all alike (the epsilon-constraint method of Haimes, Lasdon and Wismer, IEEE Transactions on Systems, Man, and Cybernetics
1(3), 1971), each time from the plan that was found, and what no other plan beats in everything is told.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.contiguity import parts_of
from services.assignment.design.engine.loosened import Loosened
from services.assignment.design.engine.problem import Effort, Problem, loads_of
from services.assignment.design.engine.proposal import Proposal, StoppedError, Watcher, unwatched
from services.assignment.design.engine.reachable import Asked, BindingMeasure, Frontier, FrontierPoint

# Halves of what the worst measure is above its tolerance, by which all of them are loosened alike.
_EVENLY = (0.5, 0.25, 0.75)
_ALMOST = 1e-6


def is_opposed(problem: Problem, proposal: Proposal) -> bool:
    """Tell whether there is a frontier to look for: several measures, and one that is out of its tolerance."""
    return len(proposal.deviation) > 1 and bool((_excess(problem, proposal.deviation) > _ALMOST).any())


def frontier(
    problem: Problem, proposal: Proposal, effort: Effort | None = None, watch: Watcher = unwatched
) -> Frontier | None:
    """Return what is reachable, None if the proposal keeps all tolerances or there is one measure alone.

    A watcher that raises StoppedError ends the search: what was reached until then is told. Not stopped, the same
    problem, proposal and effort give the same frontier.
    """
    if not is_opposed(problem, proposal):
        return None
    points: list[FrontierPoint] = []
    with suppress(StoppedError):
        points.extend(reached(problem, proposal, effort or Effort(), watch))
    return frontier_of(problem, proposal, points)


def reached(
    problem: Problem, proposal: Proposal, effort: Effort, watch: Watcher = unwatched
) -> Iterator[FrontierPoint]:
    """Yield a plan for each loosening of the tolerances, those that tell the binding measure first.

    Plans that break another limit (sizes, moves, an empty territory) are left out. Raises StoppedError with the watcher.
    """
    loosened = Loosened(problem, proposal, effort, watch)
    asks = loosenings(problem, proposal.deviation)
    for number, asked in enumerate(asks):
        labels = loosened.solved(asked.tolerance, asked.soft, number / len(asks))
        if labels is not None:
            yield _point(problem, labels, loosened.centres(labels), asked)


def loosenings(problem: Problem, deviation: Floats) -> list[Asked]:
    """Return what to ask where a plan is so far off, shape (A,): at most 3 A + 3 questions, the quickest and most telling first."""
    tolerance = np.broadcast_to(problem.tolerance, deviation.shape).astype(np.float64)
    every = np.arange(len(deviation))
    none = np.zeros(len(deviation), np.bool_)
    # Of two measures, one is freed where the other is alone.
    other = every[::-1].tolist() if len(every) == 2 else [None] * len(every)
    asks = [
        Asked(tolerance=np.where(every == a, tolerance, np.inf), soft=none, freed=freed)
        for a, freed in zip(every, other, strict=True)
    ]
    asks += [Asked(tolerance=tolerance, soft=every == a, freed=a) for a in every.tolist()]
    worst = float(_excess(problem, deviation).max())
    asks += [Asked(tolerance=tolerance + share * worst, soft=none) for share in _EVENLY]
    # And one is first where the other is freed.
    if len(every) > 2:
        asks += [Asked(tolerance=tolerance, soft=every != a) for a in every]
    return asks


def frontier_of(problem: Problem, proposal: Proposal, points: Iterable[FrontierPoint]) -> Frontier:
    """Return what of some plans, and of the proposal, no other beats; and the binding measure."""
    own = _point(problem, proposal.labels, proposal.centres, None)
    tried = [own, *points]
    goods = np.array([_goods(problem, one) for one in tried])
    kept = [one for number, one in enumerate(tried) if not _beaten(number, goods)]
    return Frontier(
        points=tuple(sorted(kept, key=lambda one: one.mean_km)),
        binding_measure=_binding(problem, own, tried[1:]),
    )


def _excess(problem: Problem, deviation: Floats) -> Floats:
    return np.asarray(np.maximum(deviation - problem.tolerance, 0.0), np.float64)


def _goods(problem: Problem, point: FrontierPoint) -> Floats:
    """Return what is judged of a plan, less is better: what each measure is off, travel, and whether it is broken."""
    return np.array([*_excess(problem, point.deviation).round(6), round(point.mean_km, 6), not point.whole])


def _beaten(number: int, goods: Floats) -> bool:
    """Tell whether another is as good in all and better in one, or the same and came first."""
    as_good = (goods <= goods[number]).all(axis=1)
    better = (goods < goods[number]).any(axis=1) | (np.arange(len(goods)) < number)
    return bool((as_good & better).any())


def _binding(problem: Problem, own: FrontierPoint, tried: list[FrontierPoint]) -> BindingMeasure | None:
    """Return the measure that, freed, leaves the least that others are off; of such, the one that is freed by least."""
    excess = _excess(problem, own.deviation)
    found: list[tuple[float, float, int, FrontierPoint]] = []
    for one in tried:
        a = one.asked.freed if one.asked is not None else None
        if a is None:
            continue
        others = np.delete(_excess(problem, one.deviation), a)
        if others.max() < np.delete(excess, a).max() - _ALMOST:
            found.append((round(float(others.max()), 6), float(one.deviation[a]), a, one))
    if not found:
        return None
    _, _, a, one = min(found, key=lambda each: each[:3])
    return BindingMeasure(
        measure=a,
        freed_from=float(own.deviation[a]),
        freed_to=float(one.deviation[a]),
        others_from=float(np.delete(own.deviation, a).max()),
        others_to=float(np.delete(one.deviation, a).max()),
        mean_km=one.mean_km,
    )


def _point(problem: Problem, labels: Labels, centres: Floats, asked: Asked | None) -> FrontierPoint:
    """Return a plan with what it is worth, all measures told, asked or not."""
    loads = loads_of(labels, problem.measures, problem.territories)
    wanted = problem.targets / problem.targets.sum(axis=0) * problem.measures.sum(axis=0)
    off = np.where(wanted > 0, loads / np.where(wanted > 0, wanted, 1.0) - 1, 0.0)
    away = np.hypot(*(problem.xy - centres[labels]).T)
    return FrontierPoint(
        asked=asked,
        labels=labels,
        deviation=np.abs(off).max(axis=0),
        mean_km=float((problem.weight * away).sum() / max(problem.weight.sum(), 1e-300)),
        whole=_is_whole(problem, labels),
    )


def _is_whole(problem: Problem, labels: Labels) -> bool:
    if problem.adjacency is None:
        return True
    return bool((parts_of(problem.adjacency, labels, problem.territories) <= 1).all())
