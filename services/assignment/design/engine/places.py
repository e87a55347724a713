"""Places: where there is at least one unit. Units that share one are told apart by nothing on a map."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.curve import along_the_curve
from services.assignment.design.engine.linking import adjacency_of

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

    def star(self) -> Labels:
        """Return links, shape (n - p, 2), from the first unit of each place to every other one there."""
        hub = self.first[self.of]
        rest = np.flatnonzero(hub != np.arange(len(hub)))
        return np.column_stack([hub[rest], rest]).astype(np.int32)

    def outward(self, links: Labels) -> Labels:
        """Return links, shape (at most n - p, 2), from every other unit of a place to one of the places around, in turn.

        links (E, 2): between first units of places that touch.
        """
        star = self.star()
        ends = self.of[links]
        around = adjacency_of(ends[ends[:, 0] != ends[:, 1]].astype(np.int32), len(self.first))
        rest = star[:, 1][np.argsort(self.of[star[:, 1]], kind="stable")]
        place = self.of[rest]
        turn = np.arange(len(rest)) - np.searchsorted(place, place)
        many = np.diff(around.starts)[place]
        some = many > 0
        rest, place, turn, many = rest[some], place[some], turn[some], many[some]
        other = around.targets[around.starts[place] + turn % many]
        return np.column_stack([rest, self.first[other]]).astype(np.int32)


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
