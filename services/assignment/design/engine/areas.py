"""What is told of the area that a place is in. Needs no compiler."""

from collections.abc import Sequence

import numpy as np
import shapely

from services.assignment.design.engine.arrays import Floats


def told_by_region(
    latitude: Floats, longitude: Floats, regions: Sequence[shapely.Geometry], values: Floats, otherwise: float
) -> Floats:
    """Return what is told of the region each place, shape (n,), is in: road factors, for one.

    regions (r,): polygons in longitudes and latitudes. values (r,): of each. Where regions overlap the first one counts;
    a place on a border is in both. otherwise: of places in none.
    """
    tree = shapely.STRtree(shapely.points(longitude, latitude))
    out = np.full(len(latitude), otherwise)
    # From the last region to the first, one at a time: of many that overlap all pairs would be gigabytes.
    for number in range(len(regions) - 1, -1, -1):
        out[tree.query(regions[number], predicate="intersects")] = values[number]
    return out
