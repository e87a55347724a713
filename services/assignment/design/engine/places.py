"""Places: where there is at least one unit. Units that share one are told apart by nothing on a map."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.curve import along_the_curve

# Points nearer than this share of the whole extent are one place: below that, triangulations lose their digits.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Places:
    """p places of n units: first (p,), the unit with the lowest number at each; of (n,), the place of each unit.

    Places are in the order of a curve through them, in which they are triangulated in two thirds of the time.
    """

    first: Integers
    of: Integers

    def chain(self) -> Labels:
        """Return links, shape (n - p, 2), from each unit to the next one at its place."""
        order = np.argsort(self.of, kind="stable")
        inside = 1 + np.flatnonzero(self.of[order[1:]] == self.of[order[:-1]])
        return np.column_stack([order[inside - 1], order[inside]]).astype(np.int32)


def places_of(xy: Floats) -> Places:
    """Return the places of units, shape (n, 2) in km."""
    if len(xy) == 0:
        return Places(np.empty(0, np.int64), np.empty(0, np.int64))
    low = xy.min(axis=0)
    side = float((xy.max(axis=0) - low).max()) or 1.0
    cell = np.rint((xy - low) * (1 / (side * _SAME))).astype(np.int64)
    key = cell[:, 0] * (2 + int(1 / _SAME)) + cell[:, 1]
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    order = along_the_curve(xy[first])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Places(first[order], rank[of])
