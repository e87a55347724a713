"""A problem in the scale that the engine works in: the mean territory has weight 1 and 1 of each measure."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.checks import check
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.level import NOBODY, Units
from services.assignment.design.engine.problem import Problem

# How far a soft measure leaves its band at the price of a territory's own travel.
_GIVE = 0.02
_NO_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Scaled:
    """units with their owners but without a bonus; target (K, A) and band, of what is to be shared out; oversize (A,): how
    far the largest unit is above the largest territory's limit, as a share of its target; movable (n,), fixed (n,),
    permitted (kinds, K), homes (K, 2), pull; move_value (n,), its mean 1; hard (A,) measures.
    """  # noqa: D205 - one sentence

    units: Units
    target: Floats
    band: Band
    oversize: Floats
    movable: Flags
    fixed: Labels
    permitted: Flags
    homes: Floats
    pull: float
    move_value: Floats
    hard: Flags

    @property
    def territories(self) -> int:
        """How many territories."""
        return len(self.target)

    def hard_columns(self, columns: int) -> Flags:
        """Return which of the columns of loads are hard: the measures' own, and the number of units."""
        return np.concatenate([self.hard, np.ones(columns - len(self.hard), np.bool_)])


def scaled(problem: Problem) -> Scaled:
    """Check and scale a problem. Raise WrongProblemError."""
    check(problem)
    n, territories = problem.units, problem.territories
    weight = problem.weight / max(problem.weight.sum(), 1e-300) * territories
    weight = np.maximum(weight, _NO_WEIGHT * territories / n)
    tolerance = np.broadcast_to(problem.tolerance, (problem.measures.shape[1],))
    measures, target, oversize = _shared_out(problem.measures, problem.targets, tolerance)
    soft = np.zeros(measures.shape[1], np.bool_) if problem.soft is None else problem.soft
    something = measures.sum(axis=0) > 0
    low, high = np.where(something, target * (1 - tolerance), 0.0), target * (1 + tolerance)
    measures, low, high, soft = _with_sizes(problem, measures, low, high, soft)
    kinds = np.zeros(n, np.int32) if problem.kinds is None else problem.kinds.astype(np.int32)
    permitted = np.ones((1, territories), np.bool_) if problem.permitted is None else problem.permitted
    fixed = np.full(n, NOBODY, np.int32) if problem.fixed is None else problem.fixed.astype(np.int32)
    owner = (
        np.full(n, NOBODY, np.int32) if problem.incumbents is None else problem.incumbents.astype(np.int32)
    )
    value = np.ones(n) if problem.move_value is None else problem.move_value
    homes = np.full((territories, 2), np.nan) if problem.homes is None else problem.homes
    units = Units(
        np.ascontiguousarray(problem.xy, np.float64),
        weight,
        np.ascontiguousarray(measures),
        kinds,
        owner,
        np.zeros(n),
    )
    return Scaled(
        units,
        target,
        Band(low, high, np.where(soft, _GIVE, 0.0)),
        oversize,
        fixed < 0,
        fixed,
        permitted,
        np.ascontiguousarray(homes, np.float64),
        problem.pull,
        value / max(value.mean(), 1e-300),
        ~soft[: problem.measures.shape[1]],
    )


def _shared_out(measures: Floats, targets: Floats, tolerance: Floats) -> tuple[Floats, Floats, Floats]:
    """Return measures and targets of which the mean territory has 1, and how far the largest unit is above any limit.

    Units above the largest limit count as much as that: nobody can balance what is over, and the others share the rest.
    """
    territories = len(targets)
    share = targets / targets.sum(axis=0)
    out = measures.copy()
    for a in range(measures.shape[1]):
        for _ in range(50):
            limit = share[:, a].max() * (1 + tolerance[a]) * out[:, a].sum()
            over = out[:, a] > limit * (1 + 1e-12)
            if not over.any() or over.sum() >= territories:
                break
            out[over, a] = limit * (1 - 1e-9)
    total = np.where(out.sum(axis=0) > 0, out.sum(axis=0), 1.0)
    largest = measures.max(axis=0) / (
        share.max(axis=0) * np.where(measures.sum(axis=0) > 0, measures.sum(axis=0), 1.0)
    )
    return out * (territories / total), share * territories, np.maximum(largest - 1 - tolerance, 0.0)


def _with_sizes(
    problem: Problem, measures: Floats, low: Floats, high: Floats, soft: Flags
) -> tuple[Floats, Floats, Floats, Flags]:
    """Add the number of units as a measure, if territories have to have some number of them."""
    if problem.least_units is None and problem.most_units is None:
        return measures, low, high, soft
    territories = problem.territories
    counts = np.ones(problem.units) if problem.counts is None else problem.counts
    n = max(float(counts.sum()), 1e-300)
    scale = territories / n
    least = np.zeros(territories) if problem.least_units is None else problem.least_units
    most = np.full(territories, n) if problem.most_units is None else problem.most_units
    return (
        np.column_stack([measures, counts * scale]),
        np.column_stack([low, least * scale]),
        np.column_stack([high, most * scale]),
        np.append(soft, False),
    )
