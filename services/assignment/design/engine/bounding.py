"""What no plan can cost less than at a plan's centres: the best of the dual's values that is found, any of which is a bound."""

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.balancing import Free
from services.assignment.design.engine.dual import Dual
from services.assignment.design.engine.implied import implied_pay
from services.assignment.design.engine.level import coarsen, make_level
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.transport import transport

_WARM, _COLD = (0.2, 0.1), (0.05, 0.02, 0.01, 0.005)
# A guess within this of the plan's cost needs no warm steps, and a bound within that no more at all.
_NEAR, _CLOSE = 0.02, 0.001
_NOTHING = 1e-15
# A bound that leaves so much of what the plan costs is looked for once more, by a linear programme where units are few.
_FAR_BELOW = 0.98
# Units in a block: few where territories are small, as the territories that one of its units may go to are then many.
_BLOCKS_PER_TERRITORY, _SMALLEST_BLOCK, _LARGEST_BLOCK = 16, 4, 32
# From no prices at all, on a coarse map, with patience: every territory is the cheapest for someone, and stays it on the way.
_CELLS, _CELLS_PER_BLOCK = 20, 4
_FROM_NOTHING, _PATIENCE = (0.5, 0.25, 0.1, 0.05), 25


def bounded(
    scaled: Scaled,
    free: Free,
    plan: Plan,
    touching: Adjacency | None,
    centres: Floats,
    prices: Floats,
    off: Floats,
) -> tuple[float, Floats, Floats]:
    """Return the best bound found at these centres, in scaled travel, its prices, and those that tell most of the plan.

    centres (K, 2); prices (K, A), a guess; off (n,), each unit's squared km from its centre.
    """
    fixed = float((scaled.units.weight * off)[~scaled.movable].sum())
    if not len(free.order):
        return fixed, prices, prices
    each = len(free.units.xy) // (_BLOCKS_PER_TERRITORY * scaled.territories)
    level = make_level(free.units, per_block=int(np.clip(each, _SMALLEST_BLOCK, _LARGEST_BLOCK)))
    dual = Dual(level, free.band, centres, prices, free.permitted)
    moves = float((scaled.units.weight * off)[scaled.movable].sum())
    guesses = [prices] if touching is None else [prices, _implied(scaled, plan.labels, touching, centres)]
    start = max((_bound_at(dual, guess) for guess in guesses), key=lambda one: one[0])
    free_of_charge = _bound_at(dual, np.zeros_like(prices))
    blind = start[0] < free_of_charge[0] < _FAR_BELOW * moves
    if blind:
        start = max(start, _bound_at(dual, _from_nothing(free, centres)), key=lambda one: one[0])
    best = max(start, free_of_charge, key=lambda one: one[0])
    # Nothing that binds costs nothing: where that leaves much open, the prices found tell more of why units are where they are.
    dual.prices = best[1] if best[0] >= _FAR_BELOW * moves else start[1]
    far = moves > (1 + _NEAR) * best[0]
    for temperature in _COLD[:2] if blind else (*_WARM, *_COLD) if far else _COLD:
        if moves <= (1 + _CLOSE) * best[0]:
            break
        dual.go_to(centres)
        dual.solve(temperature, steps=5, near_enough=1e-4)
        if temperature < 0.1 and (value := dual.bound()) > best[0]:
            best = (value, dual.prices)
    if best[0] < _FAR_BELOW * moves and (shared := transport(free.units, free.band, centres, free.permitted)):
        best = max(best, _bound_at(dual, shared.prices), key=lambda one: one[0])
    nothing_known = best is free_of_charge and best[0] < _FAR_BELOW * moves
    return best[0] + fixed, best[1], dual.prices if nothing_known else best[1]


def _from_nothing(free: Free, centres: Floats) -> Floats:
    """Return prices (K, A) at these centres (K, 2), found on a coarse map without a guess."""
    cells = _CELLS * len(centres)
    units = coarsen(free.units, cells) if len(free.units.xy) > 1.5 * cells else free.units
    level = make_level(units, per_block=_CELLS_PER_BLOCK)
    dual = Dual(level, free.band, centres, permitted=free.permitted)
    for temperature in _FROM_NOTHING:
        dual.go_to(centres)
        dual.solve(temperature, steps=_PATIENCE)
    return dual.prices


def _implied(scaled: Scaled, labels: Labels, adjacency: Adjacency, centres: Floats) -> Floats:
    """Return the prices, shape (K, A), that the plan's borders tell, as much of each for a mean unit's measures."""
    units = scaled.units
    here = np.repeat(np.arange(len(labels)), np.diff(adjacency.starts))
    pay = implied_pay(units.xy, labels, centres, here, adjacency.targets.astype(np.int64))
    ratio = units.measures.sum(axis=0) / units.weight.sum()
    there_is = ratio > _NOTHING
    return np.asarray(np.outer(pay, there_is / max(float(ratio.sum()), _NOTHING)), np.float64)


def _bound_at(dual: Dual, prices: Floats) -> tuple[float, Floats]:
    dual.prices = prices
    return dual.bound(), prices
