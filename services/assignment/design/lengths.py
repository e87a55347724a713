"""Lengths as they are told: over the sphere. Pure.

The engine weighs squared lengths in a plane, which are off by some percent far from its middle; nobody measures so on a map.
"""

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import Plane, great_circle_km


def middles(xy: Floats, labels: Labels, territories: int, plane: Plane) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes, each shape (K,), of the means of units' places, shape (n, 2) in km in a plane.

    labels (n,), 0 to K - 1; a territory without units is in the plane's middle.
    """
    counts = np.maximum(np.bincount(labels, minlength=territories), 1)
    means = [np.bincount(labels, xy[:, axis], territories) / counts for axis in (0, 1)]
    return plane.to_sphere(np.column_stack(means))


def lengths_km(latitude: Floats, longitude: Floats, labels: Labels, middle: tuple[Floats, Floats]) -> Floats:
    """Return the great-circle length in km from each unit, shape (n,), to the middle (K,) of its territory; all in degrees."""
    return great_circle_km(latitude, longitude, middle[0][labels], middle[1][labels])
