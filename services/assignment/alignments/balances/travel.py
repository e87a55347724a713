"""Travel: how far accounts lie from the middle of their territory, as the crow flies. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, atan2, cos, degrees, hypot, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True, slots=True)
class Travel:
    """Distances of the accounts that have a point from their middle; None where there is none."""

    placed: int
    centre: Point | None
    mean_km: float | None
    farthest_km: float | None


def great_circle_km(one: Point, other: Point) -> float:
    """Return the distance over the sphere (haversine formula, which holds for near points, too)."""
    latitude, other_latitude = radians(one[0]), radians(other[0])
    north, east = other_latitude - latitude, radians(other[1] - one[1])
    chord = sin(north / 2) ** 2 + cos(latitude) * cos(other_latitude) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def centre_of(points: Sequence[Point]) -> Point | None:
    """Return the middle of points on the sphere, right over the date line; None if they have none."""
    x = y = z = 0.0
    for latitude, longitude in points:
        up, around = radians(latitude), radians(longitude)
        x += cos(up) * cos(around)
        y += cos(up) * sin(around)
        z += sin(up)
    # Points all around the earth cancel out but for the last digits.
    if not points or sqrt(x * x + y * y + z * z) < 1e-9 * len(points):
        return None
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))


def measure_travel(points: Sequence[Point]) -> Travel:
    """Measure how far points lie from their middle."""
    centre = centre_of(points)
    if centre is None:
        return Travel(len(points), None, None, None)
    distances = [great_circle_km(centre, point) for point in points]
    return Travel(len(points), centre, sum(distances) / len(distances), max(distances))
