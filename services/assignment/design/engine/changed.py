"""What a plan comes to after a change: told of its labels, next to those before."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.contiguity import parts_of
from services.assignment.design.engine.problem import Problem, loads_of
from services.assignment.design.engine.realigning import middles
from services.assignment.design.engine.scaled import Scaled

_IN_BAND = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A plan after a change, for the problem with the change in it.

    labels (n,), loads (K, A), deviation (A,): the largest |load / target - 1|. off: the territories that are out of a
    hard tolerance. parts (K,): in how many each is. touched: the territories that gained or lost a unit. moved_units: how
    many that had a territory are in another; moved: the same as a share of the move_value of those that had one.
    mean_km: weighted mean distance to the middle of the territory.
    """

    labels: Labels
    loads: Floats
    deviation: Floats
    off: tuple[int, ...]
    parts: Integers
    touched: tuple[int, ...]
    moved_units: int
    moved: float
    mean_km: float


def told(problem: Problem, ready: Scaled, before: Labels, after: Labels) -> WhatIf:
    """Work out what is told of labels (n,) for a problem, next to those before it; -1 is no territory."""
    territories = problem.territories
    loads = loads_of(after, problem.measures, territories)
    totals = problem.measures.sum(axis=0)
    wanted = problem.targets / problem.targets.sum(axis=0) * totals
    away = np.abs(np.where(totals > 0, loads / np.where(totals > 0, wanted, 1.0) - 1, 0.0))
    off = (away > problem.tolerance + _IN_BAND)[:, ready.hard].any(axis=1)
    moved = (before >= 0) & (before != after)
    gone = before != after
    touched = np.union1d(before[gone & (before >= 0)], after[gone])
    value, had = ready.move_value, float(ready.move_value[before >= 0].sum())
    km = np.hypot(*(problem.xy - middles(after, ready)[after]).T)
    weight = problem.weight
    return WhatIf(
        labels=after,
        loads=loads,
        deviation=away.max(axis=0),
        off=tuple(np.flatnonzero(off).tolist()),
        parts=np.minimum(np.bincount(after, minlength=territories), 1)
        if problem.adjacency is None
        else parts_of(problem.adjacency, after, territories),
        touched=tuple(touched.tolist()),
        moved_units=int(moved.sum()),
        moved=float(value[moved].sum()) / had if had > 0 else 0.0,
        mean_km=float((weight * km).sum() / max(float(weight.sum()), 1e-300)),
    )
