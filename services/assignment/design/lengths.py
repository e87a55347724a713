"""Lengths as they are told: over the sphere, and by how much longer the road is. Pure.

The engine weighs squared lengths in a plane, which are off by some percent far from its middle; nobody measures so on a map.
"""

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import Plane, great_circle_km, road_weight


def middles(
    xy: Floats,
    labels: Labels,
    territories: int,
    plane: Plane,
    homes: Floats | None = None,
    pull: float = 0.0,
    road: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes, each shape (K,), of where ways begin: the means of units' places, pulled to homes.

    xy (n, 2) and homes (K, 2), nan for none, in km in a plane; pull from 0, the mean, to 1, home; labels (n,), 0 to K - 1.
    road (n,): by what the way to each is longer than the crow's, None for as long; from the mean squared roads are shortest.
    A territory without units has its mean in the plane's middle.
    """
    weight = np.ones(len(xy)) if road is None else road_weight(np.ones(len(xy)), road)
    held = np.bincount(labels, weight, territories)
    held[held == 0.0] = 1.0
    means = [np.bincount(labels, weight * xy[:, axis], territories) / held for axis in (0, 1)]
    return plane.to_sphere(pulled(np.column_stack(means), homes, pull))


def pulled(means: Floats, homes: Floats | None, pull: float) -> Floats:
    """Return places (K, 2) between means and homes, which are nan for none."""
    if homes is None:
        return means
    return np.where(np.isnan(homes), means, (1 - pull) * means + pull * np.nan_to_num(homes))


def lengths_km(
    latitude: Floats,
    longitude: Floats,
    labels: Labels,
    middle: tuple[Floats, Floats],
    road: Floats | None = None,
) -> Floats:
    """Return the length in km from each unit, shape (n,), to the middle (K,) of its territory; all in degrees.

    road (n,): by what the way to each is longer than the crow's, None for as long.
    """
    factor = 1.0 if road is None else road
    return great_circle_km(latitude, longitude, middle[0][labels], middle[1][labels], factor)
