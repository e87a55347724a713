"""Places: where there is at least one unit. Units that share one are told apart by nothing on a map."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.curve import along_the_curve

# Places are on a grid of so many lines across the longer side of where units are: 7 cm for a country 4,500 km wide.
# Units on one of its points share a place. Triangulation needs whole numbers, and leaves room for some outside.
GRID = 2**26


@dataclass(frozen=True, slots=True)
class Places:
    """p places of n units: first (p,), the unit with the lowest number at each; of (n,), the place of each unit.

    grid (p, 2): where they are, in whole numbers from 0 to GRID; a step is step_km, and (0, 0) is at low, in km. Places
    are in the order of a curve through them: what is near on the map is mostly near in memory.
    """

    first: Integers
    of: Integers
    grid: Integers
    low: Floats
    step_km: float

    def chain(self) -> Labels:
        """Return links, shape (n - p, 2), from each unit to the next one at its place."""
        order = np.argsort(self.of, kind="stable")
        inside = 1 + np.flatnonzero(self.of[order[1:]] == self.of[order[:-1]])
        return np.column_stack([order[inside - 1], order[inside]]).astype(np.int32)


def places_of(xy: Floats) -> Places:
    """Return the places of units, shape (n, 2) in km."""
    if len(xy) == 0:
        none = np.empty(0, np.int64)
        return Places(none, none, np.empty((0, 2), np.int64), np.zeros(2), 1.0)
    low = xy.min(axis=0)
    step = (float((xy.max(axis=0) - low).max()) or 1.0) / GRID
    at = np.rint((xy - low) / step).astype(np.int64)
    _, first, of = np.unique(at[:, 0] * (2 * GRID) + at[:, 1], return_index=True, return_inverse=True)
    order = along_the_curve(xy[first])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first = first[order]
    return Places(first, rank[of], at[first], low, step)
