"""The Hilbert curve: an order of points in which neighbours on the curve are neighbours on the map."""

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers
from services.assignment.design.engine.compiling import compiled

_BITS = 16


def along_the_curve(xy: Floats) -> Integers:
    """Return the order, shape (n,), in which a Hilbert curve through their square visits the points, shape (n, 2)."""
    low = xy.min(axis=0)
    side = float((xy.max(axis=0) - low).max())
    if side <= 0.0:
        return np.arange(len(xy))
    cells = ((xy - low) * ((2**_BITS - 1) / side)).astype(np.int64)
    return np.argsort(_distances(cells), kind="stable")


@compiled
def _distances(cells: Integers) -> Integers:
    """Return how far along the curve each cell, shape (n, 2), is. Source: Warren, Hacker's Delight, chapter 16."""
    out = np.empty(len(cells), np.int64)
    for i in range(len(cells)):
        x, y, distance = cells[i, 0], cells[i, 1], 0
        side = 1 << (_BITS - 1)
        while side:
            right, up = int((x & side) > 0), int((y & side) > 0)
            distance += side * side * ((3 * right) ^ up)
            x, y = x & (side - 1), y & (side - 1)
            if up == 0:
                if right == 1:
                    x, y = side - 1 - x, side - 1 - y
                x, y = y, x
            side >>= 1
        out[i] = distance
    return out
