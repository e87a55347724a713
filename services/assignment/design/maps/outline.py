"""Where a map of units ends: the land they cover, with a margin; lakes and bays that are wide for where they are stay out."""

from dataclasses import dataclass

import numpy as np
import shapely

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.geography import EARTH_RADIUS_KM
from services.assignment.design.engine.linking import links_of, usual_lengths
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.places import places_of
from services.assignment.design.engine.triangulation import triangulate

# A unit that is all alone has a country of this radius.
_LONELY_KM = 5.0
# The rim of the plane is the antipode of its middle, a point spread out to a circle: maps end before it.
_RIM_KM = 1.98 * EARTH_RADIUS_KM
# The land is found from one place in each of so many cells along the map's longer side.
_CELLS = 140
# A hole is land up to so many times the usual way to the next place around it.
_BRIDGED = 2.0


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """A few places, points (q, 2), with their triangles (T, 3), links (E, 2) and the usual length of these (q,)."""

    points: Floats
    triangles: Labels
    links: Labels
    lengths: Floats
    usual: Floats


def outline_of(xy: Floats, triangles: Labels) -> tuple[shapely.Geometry, float]:
    """Return the land around places, shape (p, 2) in km, triangulated, shape (T, 3); and how far it goes beyond them.

    The land is a polygon or several, without holes. An alpha shape (Edelsbrunner, Kirkpatrick, Seidel 1983) with an
    alpha of its own for every triangle: its corners have to lie on a circle that is not much larger than the way to the
    next place usually is around them. So the same hole is land between farms and water between suburbs.
    """
    cell = float((xy.max(axis=0) - xy.min(axis=0)).max()) / _CELLS
    thin = xy[_one_in_each(xy, cell)]
    skeleton = _skeleton(thin)
    margin = float(np.median(skeleton.lengths)) / 3 if len(skeleton.lengths) else _LONELY_KM
    alpha = _BRIDGED * np.median(skeleton.usual[skeleton.triangles], axis=1)
    solid = skeleton.triangles[_radii(thin, skeleton.triangles) <= alpha]
    fine = triangles[_radii(xy, triangles) <= _BRIDGED * cell]
    land = [_filled(thin, solid), _filled(xy, fine), _strings(skeleton, solid)]
    alone = np.ones(len(xy), np.bool_)
    alone[fine.ravel()] = False
    land = [*(part.buffer(margin, quad_segs=6) for part in land), _around(xy[alone], margin)]
    whole = _without_holes(shapely.union_all(land))
    # Notches narrower than the margins around them are filled.
    rounded = whole.buffer(margin, quad_segs=6).buffer(-margin, quad_segs=6)
    rim = shapely.Point(0, 0).buffer(_RIM_KM, quad_segs=90)
    return _without_holes(shapely.union_all([whole, rounded])).intersection(rim), margin


def _one_in_each(xy: Floats, cell: float) -> Integers:
    """Return which places, of those of shape (p, 2), are the first in their cell."""
    if cell <= 0.0:
        return np.zeros(1, np.int64)
    at = np.floor((xy - xy.min(axis=0)) / cell).astype(np.int64)
    _, first = np.unique(at[:, 0] * (2 * _CELLS) + at[:, 1], return_index=True)
    found: Integers = first
    return found


def _skeleton(points: Floats) -> _Skeleton:
    links = links_of(neighbours(points))
    lengths = np.sqrt(((points[links[:, 0]] - points[links[:, 1]]) ** 2).sum(axis=1))
    usual = usual_lengths(links, lengths, np.ones(len(links), np.bool_), len(points))
    places = places_of(points)
    triangles = places.first[triangulate(places.grid).corners].astype(np.int32)
    return _Skeleton(points, triangles, links, lengths, usual)


def _strings(skeleton: _Skeleton, solid: Labels) -> shapely.Geometry:
    """Return the links along which places that have no area are strung, as towns on a road are."""
    bare = np.ones(len(skeleton.points), np.bool_)
    bare[solid.ravel()] = False
    longest = _BRIDGED * np.maximum(*(skeleton.usual[skeleton.links[:, end]] for end in (0, 1)))
    strung = bare[skeleton.links].any(axis=1) & (skeleton.lengths <= longest)
    return shapely.union_all(shapely.linestrings(skeleton.points[skeleton.links[strung]]))


def _around(xy: Floats, margin: float) -> shapely.Geometry:
    """Return discs around places; of many that lie close, around one in a while."""
    close = np.unique(np.round(xy / (margin / 2)), axis=0, return_index=True)[1]
    return shapely.union_all(shapely.buffer(shapely.points(xy[close]), margin, quad_segs=6))


def _radii(xy: Floats, triangles: Labels) -> Floats:
    """Return the radius of each triangle's circle, shape (T,); infinite for corners on a line."""
    a, b, c = (xy[triangles[:, k]] for k in range(3))
    sides = [np.sqrt(((one - other) ** 2).sum(axis=1)) for one, other in ((a, b), (b, c), (c, a))]
    area = np.abs((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2
    with np.errstate(divide="ignore"):
        return np.asarray(sides[0] * sides[1] * sides[2] / (4 * area), dtype=np.float64)


def _filled(xy: Floats, triangles: Labels) -> shapely.Geometry:
    """Return what triangles cover, without holes, from the sides that only one of them has."""
    sides = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    _, first, times = np.unique(
        sides[:, 0].astype(np.int64) * len(xy) + sides[:, 1], return_index=True, return_counts=True
    )
    rim = sides[first[times == 1]]
    faces = shapely.polygonize(shapely.linestrings(xy[rim]))
    return _without_holes(faces)


def _without_holes(land: shapely.Geometry) -> shapely.Geometry:
    return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(land))))
