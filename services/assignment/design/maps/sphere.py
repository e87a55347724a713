"""From lines in a plane to polygons in degrees (WGS 84), cut where longitudes jump.

All lines are put on one grid of a millionth of a degree (a tenth of a metre) and cut at one another before any polygon
is made of them: two that touch have the very same corners along their border.
"""

from typing import Any

import numpy as np
import shapely

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import EARTH_RADIUS_KM, Plane

Geometries = np.ndarray[tuple[int, ...], np.dtype[np.object_]]
"""Geometries, shape (K,)."""

GRID_DEGREES = 1e-6

# Straight in the plane is not straight in degrees: over so many km the two part by less than ten metres at 45 degrees.
# Around the poles, where longitudes turn fast, it is so many, up to so far from them.
_STRAIGHT_KM, _STRAIGHT_POLAR_KM, _POLAR_KM = 25.0, 2.0, 1_000.0
# So far from a pole, and from the meridian opposite to the plane's middle, reaches what is left out.
_POLE_KM, _SLIT_KM = 10.0, 0.001


class Sheet:
    """Land, polygons in km, on which territories are drawn."""

    def __init__(self, plane: Plane, land: shapely.Geometry) -> None:
        self._plane = plane
        self._land = land.difference(_seam(plane, 1.0))
        # Borders go a little further than the land, so that they cross its edge and do not just not reach it.
        self._seam = _seam(plane, 0.5)
        self._poles = shapely.multipoints(_poles(plane))
        self._polar = bool(shapely.dwithin(land, self._poles, _POLAR_KM))

    def faces(self, borders: Geometries) -> tuple[Geometries, Floats]:
        """Return the polygons, in degrees, the land falls into along borders in km, and a point in each, shape (F, 2) in km.

        Longitudes go on beyond 180 here, so that there is no jump within a polygon.
        """
        lines = np.concatenate([self._torn(borders), [self._land.boundary]])
        step: Any = _STRAIGHT_KM
        if self._polar:
            step = np.where(shapely.dwithin(lines, self._poles, _POLAR_KM), _STRAIGHT_POLAR_KM, _STRAIGHT_KM)
        lines = shapely.segmentize(lines, step)
        lines = shapely.transform(lines, self._degrees)
        noded = shapely.union_all(np.concatenate([lines, _date_lines(lines)]), grid_size=GRID_DEGREES)
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
        if len(faces) == 0:
            return faces, np.empty((0, 2))
        points = shapely.point_on_surface(faces)
        inside = self._plane.to_plane(shapely.get_y(points), shapely.get_x(points))
        shapely.prepare(self._land)
        on_land = shapely.contains_xy(self._land, inside[:, 0], inside[:, 1])
        return faces[on_land], inside[on_land]

    def gathered(self, faces: Geometries, labels: Labels, territories: int) -> Geometries:
        """Return one multipolygon a territory, shape (K,), of its faces, shape (F,); label -1 is no territory's."""
        faces = shapely.orient_polygons(_between_date_lines(faces))
        out = np.full(territories, shapely.MultiPolygon(), dtype=object)
        order = np.argsort(labels, kind="stable")
        bounds = np.searchsorted(labels[order], np.arange(territories + 1))
        for territory in range(territories):
            parts = faces[order[bounds[territory] : bounds[territory + 1]]]
            if len(parts):
                out[territory] = shapely.multipolygons(parts)
        return out

    def _torn(self, borders: Geometries) -> Geometries:
        """Return borders without what lies on the seam."""
        shapely.prepare(self._seam)
        over = shapely.intersects(self._seam, borders)
        out = borders.copy()
        out[over] = shapely.difference(borders[over], self._seam)
        return out

    def _degrees(self, xy: Floats) -> Floats:
        """Return longitude and latitude, shape (n, 2); longitudes go on to the east and west of the plane's middle."""
        latitude, longitude = self._plane.to_sphere(xy)
        west = self._plane.longitude - 180
        return np.column_stack([west + (longitude - west) % 360, latitude])


def _poles(plane: Plane) -> Floats:
    """Return where the south pole and the north pole are in the plane, shape (2, 2)."""
    return plane.to_plane(np.array([-90.0, 90.0]), np.array([plane.longitude, plane.longitude]))


def _seam(plane: Plane, width: float) -> shapely.Geometry:
    """Return what is left out of every map: a spot around each pole, and a slit from there along the far meridian.

    A polygon with a pole in it cannot be said in longitudes and latitudes; nobody lives there. width: 1 for all of it.
    """
    spots = []
    for at, direction in zip(_poles(plane), (-1.0, 1.0), strict=True):
        # Seen from the middle the far meridian goes on straight beyond either pole, to the rim.
        slit = shapely.LineString([at, (0.0, direction * 2 * EARTH_RADIUS_KM)])
        spots += [shapely.Point(at).buffer(width * _POLE_KM, quad_segs=45), slit.buffer(width * _SLIT_KM)]
    return shapely.union_all(spots)


def _date_lines(lines: Geometries) -> Geometries:
    """Return the meridians at which longitudes jump, as far as lines go over them."""
    west, south, east, north = shapely.total_bounds(lines)
    at = [meridian for meridian in (-180.0, 180.0) if west < meridian < east]
    return np.array([shapely.LineString([(m, south - 1), (m, north + 1)]) for m in at], dtype=object)


def _between_date_lines(faces: Geometries) -> Geometries:
    """Return faces with their longitudes from -180 to 180."""
    bounds = shapely.bounds(faces)
    middle = (bounds[:, 0] + bounds[:, 2]) / 2
    turns = np.floor((middle + 180) / 360) * 360
    moved = faces.copy()
    for turn in np.unique(turns[turns != 0]):
        which = turns == turn
        moved[which] = shapely.transform(faces[which], _turned_by(float(turn)))
    return moved


def _turned_by(turn: float) -> Any:
    def turned(degrees: Floats) -> Floats:
        # On the grid again: taking off whole turns leaves a last digit.
        return np.round(degrees - [turn, 0.0], 6)

    return turned
