"""Territories as unions of their units' real shapes."""

import numpy as np
import shapely

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.maps.sphere import Geometries


def united(shapes: Geometries, labels: Labels, territories: int) -> Geometries:
    """Return what each territory covers, shape (K,): multipolygons in the coordinates of its units' shapes, shape (n,).

    labels (n,): the territory of each unit, -1 for none. None and empty shapes cover nothing. Shapes that share corners
    along their borders stay as they are, and so do their borders to other territories; those that overlap are joined.
    """
    out = np.full(territories, shapely.MultiPolygon(), dtype=object)
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(territories + 1))
    for territory in range(territories):
        parts = _polygons(_union(shapes[order[bounds[territory] : bounds[territory + 1]]]))
        if len(parts):
            out[territory] = shapely.multipolygons(parts)
    found: Geometries = shapely.orient_polygons(out)
    return found


def _union(shapes: Geometries) -> shapely.Geometry:
    """Return the union: by leaving out the stretches that occur twice, and by geometry where that is not enough."""
    try:
        quick = shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        quick = None
    if quick is not None and shapely.is_valid(quick):
        return quick
    return shapely.union_all(shapely.make_valid(shapes))


def _polygons(union: shapely.Geometry) -> Geometries:
    parts = shapely.get_parts(shapely.get_parts([union]))
    found: Geometries = parts[
        (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    ]
    return found
