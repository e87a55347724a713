"""From today's territories: only what balance and travel justify moves, within a budget."""

import numpy as np

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.balancing import Balanced, Free
from services.assignment.design.engine.descent import descend, settle
from services.assignment.design.engine.dual import Dual
from services.assignment.design.engine.level import make_level
from services.assignment.design.engine.proposal import Stage, Watcher
from services.assignment.design.engine.scaled import Scaled

_HOT = (2.0, 1.0, 0.5, 0.25)
_COLD = (0.1, 0.05, 0.02, 0.01)


def bonuses(scaled: Scaled, stay: float) -> Floats:
    """Return what leaving its owner costs each unit, per weight in squared km, shape (n,).

    A move costs the same wherever it is made: `stay` times the travel of a mean unit today, times what moving it counts.
    So a heavy unit that mends balance alone is moved before many light ones.
    """
    units = scaled.units
    known = units.owner >= 0
    if not known.any() or stay == 0.0:
        return np.zeros(len(known))
    centres = today(scaled)
    off = ((units.xy[known] - centres[units.owner[known]]) ** 2).sum(axis=1)
    travel = float((units.weight[known] * off).sum()) / known.sum()
    return np.where(known, stay * travel * scaled.move_value / units.weight, 0.0)


def today(scaled: Scaled) -> Floats:
    """Return the weighted means of today's territories, shape (K, 2); of an empty one, that of everything."""
    units, territories = scaled.units, scaled.territories
    known = units.owner >= 0
    owner, weight, xy = units.owner[known], units.weight[known], units.xy[known]
    held = np.bincount(owner, weight, territories)
    sums = np.column_stack([np.bincount(owner, weight * xy[:, d], territories) for d in (0, 1)])
    middle = np.average(units.xy, axis=0, weights=units.weight)
    return np.where(held[:, None] > 0, sums / np.maximum(held, 1e-300)[:, None], middle)


def realigned(scaled: Scaled, free: Free, rounds: int, watch: Watcher) -> Balanced:
    """Balance from today's centres at full resolution; the units' bonus says what a move costs."""
    watch(Stage.BALANCE, 0.0, scaled.units.owner)
    level = make_level(free.units, per_block=16)
    start = free.anchors.without_held().of(np.zeros((scaled.territories, 3)), today(scaled))
    dual = Dual(level, free.band.narrowed(free.room()), start, permitted=free.permitted)
    dual.anneal(_HOT, steps=4)
    settle(dual, 0.25, steps=3)
    descend(dual, rounds, temperature=0.25, anchors=free.anchors)
    watch(Stage.BALANCE, 0.5, None)
    for temperature in _COLD:
        dual.solve(temperature, steps=6)
    return Balanced(free.all_labels(dual.labels(), scaled), dual.centres, dual.prices)
