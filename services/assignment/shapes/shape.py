"""Shapes by postal code or county, read from a GeoJSON FeatureCollection (RFC 7946). Pure."""

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# As many as a country has postal codes, and as many corners as its borders in the detail that a map can show.
MOST_SHAPES = 100_000
MOST_CORNERS = 1_000_000
MOST_PROBLEMS = 100
_LONGEST_KEY = 20
_HALF_AROUND = 180
# A ring ends where it begins: a triangle has four.
_FEWEST_CORNERS = 4


class ShapeLevel(StrEnum):
    """What a shape is of: the field of an account that its key is held against."""

    POSTAL_CODE = "postal_code"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a postal code or county covers: a GeoJSON MultiPolygon, longitude before latitude."""

    key: str
    geometry: str


class WrongShapesError(ValueError):
    """A document is no collection of shapes: the problems name places in it and what to change."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems[0][1])
        self.problems = problems


class _WrongPlaceError(ValueError):
    """Something within a feature is wrong."""

    def __init__(self, within: str, detail: str) -> None:
        super().__init__(detail)
        self.within = within


class _TooManyCornersError(ValueError):
    """A feature has more corners than there is room for."""


def read_shapes(body: bytes, key_property: str) -> list[Shape]:
    """Return the shapes of a document by key, those of one key as one. Raises WrongShapesError."""
    features = _features(body)
    problems: list[tuple[str, str]] = []
    polygons: dict[str, list[Any]] = {}
    room = MOST_CORNERS
    for number, feature in enumerate(features):
        try:
            key, found = _read(feature, key_property, room)
            room -= sum(len(ring) for polygon in found for ring in polygon)
        except _TooManyCornersError:
            problems.append(
                ("/features", f"there are more than {MOST_CORNERS:,} corners; simplify the shapes")
            )
            break
        except _WrongPlaceError as error:
            problems.append((f"/features/{number}{error.within}", str(error)))
            if len(problems) == MOST_PROBLEMS:
                break
        else:
            polygons.setdefault(key, []).extend(found)
    if problems:
        raise WrongShapesError(problems)
    return [
        Shape(key, json.dumps({"type": "MultiPolygon", "coordinates": found}, separators=(",", ":")))
        for key, found in sorted(polygons.items())
    ]


def _features(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise WrongShapesError([("", "this is no JSON document")]) from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise WrongShapesError([("/type", "give a GeoJSON FeatureCollection")])
    features = document.get("features")
    if not isinstance(features, list) or not 0 < len(features) <= MOST_SHAPES:
        raise WrongShapesError([("/features", f"give 1 to {MOST_SHAPES:,} features")])
    return features


def _read(feature: Any, key_property: str, room: int) -> tuple[str, list[Any]]:
    if not isinstance(feature, dict):
        raise _WrongPlaceError("", "this is no feature")
    properties = feature.get("properties")
    key = properties.get(key_property) if isinstance(properties, dict) else None
    # A number would have lost the noughts in front.
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise _WrongPlaceError(
            "/properties", f"{key_property!r} has to be a text of 1 to {_LONGEST_KEY} characters"
        )
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        raise _WrongPlaceError("/geometry", "this has to be a Polygon or a MultiPolygon")
    coordinates = geometry.get("coordinates")
    polygons: list[Any] = [coordinates] if geometry["type"] == "Polygon" else _listed(coordinates)
    # Counted before anything is built of them.
    if sum(len(_listed(ring)) for polygon in polygons for ring in _listed(polygon)) > room:
        raise _TooManyCornersError
    found = [[list(_ring(ring)) for ring in polygon] for polygon in polygons]
    for polygon in found:
        _check_area(polygon)
    return key, found


def _check_area(polygon: list[Any]) -> None:
    """Raise for what covers nothing, or what it does not say; an outline that crosses itself can be mended, and is."""
    # Heavy, and only the process that reads shapes needs it.
    import shapely  # noqa: PLC0415

    for ring in polygon:
        if any(abs(one[0] - other[0]) > _HALF_AROUND for one, other in itertools.pairwise(ring)):
            raise _WrongPlaceError(
                "/geometry/coordinates",
                "a side goes more than half around the earth; cut the shape at the antimeridian (RFC 7946, 3.1.9)",
            )
    outline = shapely.Polygon(polygon[0], polygon[1:])
    reason = shapely.is_valid_reason(outline)
    if "Hole lies outside" in reason or "Holes are nested" in reason:
        raise _WrongPlaceError(
            "/geometry/coordinates", "a hole has to lie within its polygon, and in no other"
        )
    if not shapely.make_valid(outline).area > 0.0:
        raise _WrongPlaceError("/geometry/coordinates", "the polygon covers no area")


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _WrongPlaceError(
            "/geometry/coordinates", "polygons are lists of rings, and rings lists of positions"
        )
    return value


def _ring(ring: Any) -> Iterator[list[float]]:
    positions = _listed(ring)
    if len(positions) < _FEWEST_CORNERS or positions[0] != positions[-1]:
        raise _WrongPlaceError(
            "/geometry/coordinates", "a ring has four positions or more and ends where it begins"
        )
    for position in positions:
        if not isinstance(position, list) or len(position) < 2 or not all(map(_is_number, position[:2])):
            raise _WrongPlaceError("/geometry/coordinates", "a position is a longitude and a latitude")
        longitude, latitude = position[:2]
        if abs(longitude) > 180 or abs(latitude) > 90:
            raise _WrongPlaceError(
                "/geometry/coordinates",
                "positions are in degrees (WGS 84), the longitude before the latitude",
            )
        yield [longitude, latitude]


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    # An integer may have more digits than a float can hold.
    return isinstance(value, int) and not isinstance(value, bool)
