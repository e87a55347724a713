"""One map on a picture: areas, their numbers, the units that moved, a scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.geography import Plane
from services.assignment.design.maps.sphere import Geometries

INK = "#222222"
MOVED = "#111111"
# A number in an area that is narrower than this, in points, would cover its neighbours.
_LEAST_ROOM, _MOST_ROOM = 4.0, 9.0
# More marks than that are drawn as pixels in an SVG, too: as shapes they would be most of the file.
_MANY_MARKS = 5_000


@dataclass(frozen=True, slots=True)
class Frame:
    """What part of the plane is shown, in km."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        """From west to east."""
        return self.east - self.west

    @property
    def height(self) -> float:
        """From south to north."""
        return self.north - self.south


def in_plane(territories: Geometries, plane: Plane) -> Geometries:
    """Return geometries in degrees as geometries in km."""

    def to_plane(degrees: Floats) -> Floats:
        return plane.to_plane(degrees[:, 1], degrees[:, 0])

    moved: Geometries = shapely.transform(territories, to_plane)
    return moved


def simplified(areas: Geometries, tolerance_km: float) -> Geometries:
    """Return areas without what is finer than a picture shows; common borders stay common."""
    whole = np.flatnonzero(~shapely.is_empty(areas))
    out = areas.copy()
    if len(whole):
        out[whole] = shapely.coverage_simplify(areas[whole], tolerance_km)
    return out


def draw_areas(axes: Axes, areas: Geometries, colours: Sequence[str]) -> None:
    """Fill the areas, shape (K,), each with its colour."""
    shown = np.flatnonzero(~shapely.is_empty(areas))
    axes.add_collection(
        PathCollection(
            [_path(area) for area in areas[shown]],
            facecolors=[colours[int(territory)] for territory in shown],
            edgecolors="white",
            linewidths=0.7 if len(shown) <= 400 else 0.3,
            joinstyle="round",
        )
    )


def draw_numbers(axes: Axes, areas: Geometries, points_per_km: float) -> None:
    """Write each territory's number, from 1, where its area has most room, if there is enough."""
    for territory, area in enumerate(areas):
        if area.is_empty:
            continue
        largest = max(shapely.get_parts(area), key=lambda part: part.area)
        room = shapely.maximum_inscribed_circle(largest, tolerance=np.sqrt(largest.area) / 50)
        radius = float(room.length) * points_per_km
        text = str(territory + 1)
        size = min(_MOST_ROOM, 2.2 * radius / max(2, len(text)) ** 0.7)
        if size < _LEAST_ROOM:
            continue
        x, y = shapely.get_coordinates(room)[0]
        axes.text(x, y, text, size=size, color=INK, ha="center", va="center", zorder=5)


def draw_moved(axes: Axes, xy: Floats) -> None:
    """Mark the units that moved, shape (m, 2) in km: smaller marks the more there are."""
    if len(xy) == 0:
        return
    size = float(np.clip(6_000 / len(xy), 0.25, 12.0))
    axes.scatter(
        xy[:, 0],
        xy[:, 1],
        s=size,
        c=MOVED,
        linewidths=0.3 if size > 4 else 0,
        alpha=1.0 if size > 1 else 0.6,
        edgecolors="white",
        zorder=4,
        rasterized=len(xy) > _MANY_MARKS,
    )


def draw_scale(axes: Axes, frame: Frame) -> None:
    """Draw a bar of a round number of km, about a sixth of the map wide, under its lower left corner."""
    wanted = frame.width / 6
    step = 10.0 ** np.floor(np.log10(wanted))
    length = step * max(m for m in (1, 2, 5) if m * step <= wanted)
    y = frame.south
    axes.plot([frame.west, frame.west + length], [y, y], color=INK, lw=1.5, solid_capstyle="butt")
    axes.annotate(
        f"{length:,g} km",
        (frame.west + length, y),
        (4, 0),
        textcoords="offset points",
        size=7,
        color=INK,
        va="center",
    )


def frame_of(areas: Geometries) -> Frame:
    """Return the frame that areas of one or several maps fit in, with a little room."""
    west, south, east, north = shapely.total_bounds(areas)
    if not np.isfinite(west):
        west = south = -1.0
        east = north = 1.0
    room = 0.02 * max(east - west, north - south)
    return Frame(west - room, south - room, east + room, north + room)


def _path(area: shapely.Geometry) -> Path:
    rings = [
        shapely.get_coordinates(ring)
        for part in shapely.get_parts(area)
        for ring in (part.exterior, *part.interiors)
    ]
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in rings))
