"""Cells: the places nearer to one unit than to any other, and the territories they make up.

Nothing is made of single cells. The triangulation of the places is made once; a territory's border is walked along
those sides of it whose ends have different labels, so that its cost is that of the borders and not of the units.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.places import GRID, Places, places_of
from services.assignment.design.engine.triangulation import triangulate
from services.assignment.design.maps.outline import outline_of
from services.assignment.design.maps.sphere import Geometries, Sheet

# So far out, in sides of the square the units are in, are the corners that keep all cells finite.
_FAR_OUT = 1.9


@dataclass(frozen=True, slots=True)
class Cells:
    """What does not depend on labels: places, their triangles and the corners of their cells, the land they are on."""

    plane: Plane
    places: Places
    points: Floats
    triangles: Labels
    beyond: Labels
    corners: Floats
    land: shapely.Geometry
    margin: float


def cells_of(xy: Floats, plane: Plane) -> Cells:
    """Return the cells of units, shape (n, 2) in km in a plane."""
    places = places_of(xy)
    # In whole numbers, as the places are.
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False) + 0.1
    around = np.column_stack([np.cos(turn), np.sin(turn)])
    far = np.rint(GRID / 2 + _FAR_OUT * GRID * around).astype(np.int64)
    grid = np.concatenate([places.grid, far])
    found = triangulate(grid)
    points = places.low + grid * places.step_km
    count = len(places.first)
    inner = found.corners[(found.corners < count).all(axis=1)]
    land, margin = outline_of(points[:count], inner)
    corners = places.low + _corners(grid, found.corners) * places.step_km
    return Cells(plane, places, points[:count], found.corners, found.beyond, corners, land, margin)


def dissolved(cells: Cells, labels: Labels, territories: int) -> Geometries:
    """Return what each territory covers, shape (K,), in degrees: multipolygons that share their borders' corners exactly.

    labels (n,): the territory of each unit, -1 for none. Units at one place have one cell: it goes to most of them,
    among equals to the lowest label. A territory without one is empty.
    """
    of_place = _of_places(cells.places, labels, territories)
    sheet = Sheet(cells.plane, cells.land)
    faces, inside = sheet.faces(_borders(cells, of_place))
    if len(faces) == 0:
        return np.full(territories, shapely.MultiPolygon(), dtype=object)
    _, nearest = cKDTree(cells.points).query(inside)
    return sheet.gathered(faces, of_place[nearest], territories)


def _of_places(places: Places, labels: Labels, territories: int) -> Labels:
    """Return the label most units of each place have, shape (p,)."""
    width = territories + 1
    keys, times = np.unique(places.of * width + (labels + 1), return_counts=True)
    place, label = keys // width, keys % width - 1
    order = np.lexsort((label, -times, place))
    _, first = np.unique(place[order], return_index=True)
    found: Labels = label[order][first].astype(np.int32)
    return found


def _borders(cells: Cells, of_place: Labels) -> "np.ndarray[tuple[int, ...], np.dtype[np.object_]]":
    """Return the lines, in km, along which cells of different labels meet."""
    pairs = _parted(cells.triangles, cells.beyond, of_place)
    ends = cells.corners[pairs]
    ends = ends[(ends[:, 0] != ends[:, 1]).any(axis=1)]
    lines = shapely.linestrings(ends)
    # Cells of the outermost units go far over the land's end.
    wider = cells.land.buffer(cells.margin / 4, quad_segs=2)
    shapely.prepare(wider)
    within = shapely.contains_properly(wider, lines)
    meeting = ~within & shapely.intersects(wider, lines)
    return np.concatenate([lines[within], shapely.intersection(lines[meeting], wider)])


@compiled
def _parted(triangles: Labels, beyond: Labels, of_place: Labels) -> Integers:
    """Return pairs of triangles, shape (E, 2), with a common side whose ends are places with different labels."""
    found = np.empty((3 * len(triangles), 2), np.int64)
    count = 0
    for t in range(len(triangles)):
        for k in range(3):
            other = beyond[t, k]
            if other < 0 or other >= t:
                continue
            a, b = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
            if a < len(of_place) and b < len(of_place) and of_place[a] != of_place[b]:
                found[count, 0], found[count, 1] = t, other
                count += 1
    return found[:count].copy()


def _corners(grid: Integers, triangles: Labels) -> Floats:
    """Return the middles of the triangles' circles, shape (T, 2)."""
    a, b, c = (grid[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    # Exact in whole numbers: of a sliver's area floats would leave nothing.
    turn = (2 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])).astype(np.float64)
    uu, vv = (u**2).sum(axis=1).astype(np.float64), (v**2).sum(axis=1).astype(np.float64)
    away = np.column_stack([v[:, 1] * uu - u[:, 1] * vv, u[:, 0] * vv - v[:, 0] * uu]) / turn[:, None]
    return np.asarray(a + away, dtype=np.float64)
