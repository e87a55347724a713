"""From latitudes and longitudes to km in a plane and back, and distances over the sphere."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.problem import WrongProblemError

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""

# Where directions cancel out to less than this share of their number, they have no middle.
_NO_MIDDLE = 1e-6


@dataclass(frozen=True, slots=True)
class Plane:
    """An equal-area plane that touches the sphere at a point (degrees): x km to the east, y km to the north of it.

    Lambert's azimuthal equal-area projection: areas hold everywhere, lengths near the middle (to 1 % within 1,800 km).
    Source: Snyder, Map Projections - A Working Manual (USGS 1395), chapter 24, here with unit vectors: the distance
    from the middle is the length of the chord through the sphere, which keeps all digits for near points and far ones.
    """

    latitude: float
    longitude: float

    def to_plane(self, latitude: Floats, longitude: Floats) -> Floats:
        """Return places in km, shape (n, 2), of latitudes and longitudes in degrees, shape (n,).

        The middle's antipode is the whole rim of the plane, 12,742 km away; it is put due east.
        """
        middle, east, north = self._axes()
        points = _directions(latitude, longitude)
        towards = np.column_stack([points @ east, points @ north])
        chord = np.sqrt(((points - middle) ** 2).sum(axis=1))
        length = np.sqrt((towards**2).sum(axis=1))
        # In the middle itself there is no direction, and the chord is 0; at its antipode any will do.
        plain = length > 0.0
        towards[~plain] = (1.0, 0.0)
        length[~plain] = 1.0
        towards *= (EARTH_RADIUS_KM * chord / length)[:, None]
        return towards

    def to_sphere(self, xy: Floats) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes in degrees, each shape (n,), of places in km, shape (n, 2).

        What lies beyond the rim is taken for the rim.
        """
        middle, east, north = self._axes()
        flat = xy / EARTH_RADIUS_KM
        chord = np.sqrt((flat**2).sum(axis=1))
        beyond = chord > 2.0
        if beyond.any():
            flat = np.where(beyond[:, None], flat * (2.0 / np.maximum(chord, 2.0))[:, None], flat)
            chord = np.minimum(chord, 2.0)
        along = np.sqrt(1.0 - chord**2 / 4)
        points = (1.0 - chord**2 / 2)[:, None] * middle + (along * flat[:, 0])[:, None] * east
        points += (along * flat[:, 1])[:, None] * north
        return _angles(points)

    def _axes(self) -> tuple[Floats, Floats, Floats]:
        """Return the unit vectors to the middle, and from there to the east and to the north."""
        up, around = np.radians(self.latitude), np.radians(self.longitude)
        middle = np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])
        east = np.array([-np.sin(around), np.cos(around), 0.0])
        north = np.array([-np.sin(up) * np.cos(around), -np.sin(up) * np.sin(around), np.cos(up)])
        return middle, east, north


def projected(latitude: Floats, longitude: Floats, weight: Floats | None = None) -> tuple[Floats, Plane]:
    """Return places in km, shape (n, 2), in a plane around their middle on the sphere, and that plane.

    latitude and longitude (n,) in degrees; weight (n,), not below zero, of each in the middle, None for alike.
    Raise WrongProblemError for what is no place on the earth.
    """
    _check(latitude, longitude)
    plane = plane_around(latitude, longitude, weight)
    return plane.to_plane(latitude, longitude), plane


def plane_around(latitude: Floats, longitude: Floats, weight: Floats | None = None) -> Plane:
    """Return the plane around the middle of points: the direction of the weighted mean of their unit vectors.

    Points all around the earth have no middle. Then it is the direction they are spread along least, seen from the
    side where more of them are: none of two antipodal clusters is torn, and of a belt it is the pole.
    """
    points = _directions(latitude, longitude)
    parts = np.ones(len(points)) if weight is None or not weight.any() else weight
    if len(points) == 0:
        return Plane(0.0, 0.0)
    parts = parts / parts.sum()
    mean = parts @ points
    if np.sqrt((mean**2).sum()) < _NO_MIDDLE:
        _, axes = np.linalg.eigh(points.T @ (points * parts[:, None]))
        mean = axes[:, 0] * (1.0 if axes[np.abs(axes[:, 0]).argmax(), 0] > 0 else -1.0)
    up, around = _angles(mean[None, :])
    return Plane(float(up[0]), float(around[0]))


def great_circle_km(
    latitude: Floats,
    longitude: Floats,
    to_latitude: Floats,
    to_longitude: Floats,
    factor: Floats | float = 1.0,
) -> Floats:
    """Return distances over the sphere in km (degrees in; shapes that broadcast).

    factor: how much longer the road is than the crow's way there, by region as told (1.2 to 1.4 in most countries:
    Ballou, Rahardja, Sakai, Selected country circuity factors for road travel distance estimation, 2002).
    """
    up, other = np.radians(latitude), np.radians(to_latitude)
    chord = np.sin((other - up) / 2) ** 2
    chord = chord + np.cos(up) * np.cos(other) * np.sin(np.radians(to_longitude - longitude) / 2) ** 2
    return np.asarray(
        factor * 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(chord))), dtype=np.float64
    )


def road_weight(weight: Floats, factor: Floats) -> Floats:
    """Return weights, shape (n,), with which squared distances in the plane count as squared road distances.

    factor (n,): what the way to each unit is longer than the crow's, by its region.
    Raise WrongProblemError for a factor below 1: no road is shorter than the crow's way.
    """
    if not (np.isfinite(factor).all() and (factor >= 1.0).all()):
        raise WrongProblemError("road_factor", "A road factor is a number of at least 1.")
    return np.asarray(weight * factor**2, dtype=np.float64)


def _check(latitude: Floats, longitude: Floats) -> None:
    if latitude.shape != longitude.shape or latitude.ndim != 1:
        raise WrongProblemError("longitude", "There have to be as many longitudes as latitudes.")
    if not (np.abs(latitude) <= 90.0).all():
        raise WrongProblemError("latitude", "A latitude is a number from -90 to 90.")
    if not (np.abs(longitude) <= 360.0).all():
        raise WrongProblemError("longitude", "A longitude is a number from -180 to 180, or from 0 to 360.")


def _directions(latitude: Floats, longitude: Floats) -> Floats:
    """Return unit vectors, shape (n, 3)."""
    up, around = np.radians(latitude), np.radians(longitude)
    flat = np.cos(up)
    return np.column_stack([flat * np.cos(around), flat * np.sin(around), np.sin(up)])


def _angles(points: Floats) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes in degrees of vectors, shape (n, 3), of any length."""
    up = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    return up, np.degrees(np.arctan2(points[:, 1], points[:, 0]))
