"""Which units touch, when their shapes are known: those that share a stretch of border."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers
from services.assignment.design.engine.linking import adjacency_of

# A border that is shared for less than this share of the smaller shape's girth is a corner, or the noise of digitising.
_CORNER = 1e-6


def touching(shapes: Sequence[shapely.Geometry]) -> Adjacency:
    """Return which of the polygons and multipolygons, one a unit, share a stretch of border; corners do not count.

    Any coordinates will do, the same for all. Shapes of one source share their corners, and then equal stretches are
    found by sorting; where they do not (a border drawn finer on one side), or where shapes overlap, geometry decides.
    An empty shape, or None, touches nothing; one that crosses itself is
    mended first.
    """
    units = len(shapes)
    outlines = np.asarray(shapes, dtype=object)
    wrong = ~shapely.is_valid(outlines)
    if wrong.any():
        outlines = outlines.copy()
        outlines[wrong] = shapely.make_valid(outlines[wrong])
    known = _sharing_stretches(outlines)
    links = np.concatenate([known, _sharing_borders(outlines, known)])
    return adjacency_of(links.astype(np.int32), units)


def _sharing_stretches(outlines: "np.ndarray[Any, Any]") -> Integers:
    """Return pairs of units, shape (E, 2), whose outlines have a stretch between two corners in common."""
    rings, of_part = shapely.get_rings(outlines, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) < 2:
        return np.empty((0, 2), np.int64)
    _, corner = np.unique(points[:, 0] + 1j * points[:, 1], return_inverse=True)
    one_ring = of_ring[1:] == of_ring[:-1]
    ends = np.sort(np.column_stack([corner[:-1], corner[1:]])[one_ring], axis=1).astype(np.int64)
    owner = of_part[of_ring[:-1][one_ring]]
    key = ends[:, 0] * (int(corner.max()) + 1) + ends[:, 1]
    order = np.lexsort((owner, key))
    # A stretch that three shapes share (they overlap) pairs those next to each other here; geometry finds the third.
    same = key[order[1:]] == key[order[:-1]]
    pairs = np.column_stack([owner[order[:-1]], owner[order[1:]]])[same]
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def _sharing_borders(outlines: "np.ndarray[Any, Any]", known: Integers) -> Integers:
    """Return pairs of units, shape (E, 2), not known yet, whose areas or borders have more than points in common."""
    units = len(outlines)
    one, other = shapely.STRtree(outlines).query(outlines)
    pairs = np.column_stack([one, other])[one < other]
    pairs = pairs[~np.isin(pairs[:, 0] * units + pairs[:, 1], known[:, 0] * units + known[:, 1])]
    shapely.prepare(outlines)
    pairs = pairs[shapely.intersects(outlines[pairs[:, 0]], outlines[pairs[:, 1]])]
    common = shapely.intersection(outlines[pairs[:, 0]], outlines[pairs[:, 1]])
    girth = np.minimum(shapely.length(outlines[pairs[:, 0]]), shapely.length(outlines[pairs[:, 1]]))
    found: Integers = pairs[shapely.length(common) > _CORNER * girth]
    return found


def representative_points(shapes: Sequence[shapely.Geometry]) -> Floats:
    """Return a point inside each shape, shape (n, 2); nan for an empty one and for None."""
    points = shapely.point_on_surface(np.asarray(shapes, dtype=object))
    there = ~(shapely.is_empty(points) | shapely.is_missing(points))
    out = np.full((len(points), 2), np.nan)
    out[there] = shapely.get_coordinates(points[there])
    return out
