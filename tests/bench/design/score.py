"""How good territories are, by code that shares nothing with the engine: everybody is scored by it."""

from dataclasses import dataclass

import numpy as np

from tests.bench.design.geography import Floats, Integers, parts
from tests.bench.design.instances import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What there is to say about some labels.

    deviation: the largest |load / target - 1| of each measure. wss, wd: weighted mean squared distance (km²) and
    distance (km) to the weighted mean of the territory. broken, empty: territories in several parts, and without a unit.
    """

    deviation: tuple[float, ...]
    wss: float
    wd: float
    broken: int
    empty: int

    def holds(self, tolerance: float) -> bool:
        """Tell whether it is balanced (to a thousandth of a percent), and every territory is there and whole."""
        return max(self.deviation) <= tolerance + 1e-5 and not self.broken and not self.empty


def score(
    instance: Instance,
    labels: Integers,
    territories: int,
    measures: tuple[int, ...] = (0,),
    targets: Floats | None = None,
) -> Score:
    """Score labels (n,) from 0 to territories - 1. targets (K, chosen measures): equal shares if there are none."""
    if labels.shape != (instance.units,) or labels.min() < 0 or labels.max() >= territories:
        raise ValueError("every unit has to be in one of the territories")
    weight = instance.weight
    total = np.bincount(labels, weight, territories)
    centres = (
        np.column_stack([np.bincount(labels, weight * instance.xy[:, axis], territories) for axis in (0, 1)])
        / np.maximum(total, 1e-300)[:, None]
    )
    square = ((instance.xy - centres[labels]) ** 2).sum(axis=1)
    chosen = instance.measures[:, measures]
    loads = np.column_stack([np.bincount(labels, column, territories) for column in chosen.T])
    wanted = np.full(loads.shape, 1.0) if targets is None else targets
    wanted = wanted * (chosen.sum(axis=0) / wanted.sum(axis=0))
    part = parts(instance.starts, instance.targets, labels)
    first = np.unique(part, return_index=True)[1]
    per_territory = np.bincount(labels[first], minlength=territories)
    return Score(
        deviation=tuple(np.abs(loads / wanted - 1).max(axis=0).tolist()),
        wss=float((weight * square).sum() / weight.sum()),
        wd=float((weight * np.sqrt(square)).sum() / weight.sum()),
        broken=int((per_territory > 1).sum()),
        empty=int((per_territory == 0).sum()),
    )


def moved(before: Integers, after: Integers) -> int:
    """Return how many units are elsewhere."""
    return int((before != after).sum())
