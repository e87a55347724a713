"""What a plan falls short of: which hard limits do not hold, of which measure, and in which territories."""

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers
from services.assignment.design.engine.contiguity import broken_territories
from services.assignment.design.engine.plan import Plan
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Shortfall
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.short_of import ShortOf

_IN_BAND = 1e-6


def shortfalls(
    problem: Problem, scaled: Scaled, plan: Plan, deviation: Floats, parts: Integers, moved: float
) -> tuple[Shortfall, ...]:
    """Return what keeps a plan from holding all hard limits; nothing if it does.

    deviation (K, A): load / target - 1 in the problem's own units; parts (K,); moved: the share of move_value.
    """
    found = _of_measures(problem, scaled, deviation)
    found += _of(ShortOf.EMPTY, plan.held == 0)
    if problem.adjacency is not None and (parts > 1).any():
        found += _of(
            ShortOf.IN_PARTS,
            broken_territories(
                problem.adjacency, plan.labels, plan.units.weight, scaled.movable, scaled.territories
            ),
        )
    if moved > problem.most_moved + _IN_BAND:
        found.append(Shortfall(code=ShortOf.MOST_MOVED, figure=moved))
    return (*found, *_of_sizes(problem, plan))


def _of_measures(problem: Problem, scaled: Scaled, deviation: Floats) -> list[Shortfall]:
    off = np.abs(deviation)
    out = off > np.broadcast_to(problem.tolerance, off.shape[1:]) + _IN_BAND
    return [
        Shortfall(
            code=ShortOf.UNIT_TOO_LARGE if scaled.oversize[a] > 0 else ShortOf.OUT_OF_TOLERANCE,
            measure=int(a),
            territories=_numbers(out[:, a]),
            figure=float(off[:, a].max()),
        )
        for a in np.flatnonzero(scaled.hard & out.any(axis=0))
    ]


def _of_sizes(problem: Problem, plan: Plan) -> list[Shortfall]:
    held, counts = plan.held.astype(np.float64), problem.counts
    if counts is not None:
        held = np.asarray(np.bincount(plan.labels, counts, problem.territories), dtype=np.float64)
    found = []
    if problem.least_units is not None:
        found += _of(ShortOf.LEAST_UNITS, held < problem.least_units)
    if problem.most_units is not None:
        found += _of(ShortOf.MOST_UNITS, held > problem.most_units)
    return found


def _of(code: ShortOf, territories: Flags) -> list[Shortfall]:
    numbers = _numbers(territories)
    return [Shortfall(code=code, territories=numbers)] if numbers else []


def _numbers(territories: Flags) -> tuple[int, ...]:
    return tuple(np.flatnonzero(territories).tolist())
