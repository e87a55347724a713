"""What is told of plans within reach where not all tolerances can be kept together."""

from dataclasses import dataclass, replace

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a plan of the frontier was asked: tolerance (A,), inf for a measure that is left alone; soft (A,): as near as
    it is worth in travel. freed: the one measure that the others were put before, None for another loosening.
    """  # noqa: D205 - one sentence

    tolerance: Floats
    soft: Flags
    freed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """A plan that is within reach: labels (n,), deviation (A,), mean_km, as in a proposal.

    whole: no territory is in more parts than it has to be. asked: what leads to it; None for the proposal itself.
    """

    asked: Asked | None
    labels: Labels
    deviation: Floats
    mean_km: float
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingMeasure:
    """The measure whose loosening helps the others most.

    Where its deviation may become `freed_to` instead of `freed_from`, the largest deviation of the others becomes
    `others_to` instead of `others_from`, and travel `mean_km`.
    """

    measure: int
    freed_from: float
    freed_to: float
    others_from: float
    others_to: float
    mean_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """points: no other is as good in all deviations (within the tolerance all are alike), travel and wholeness, and better
    in one; by travel. binding_measure: None where loosening no measure brings the others nearer to their tolerances.
    """  # noqa: D205 - one sentence

    points: tuple[FrontierPoint, ...]
    binding_measure: BindingMeasure | None

    def without_labels(self) -> "Frontier":
        """Return the same without the plans' labels: to be told, where units are many."""
        none = np.empty(0, np.int32)
        return replace(self, points=tuple(replace(one, labels=none) for one in self.points))
