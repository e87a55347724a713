"""Territories as a GeoJSON document (RFC 7946)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from services.assignment.design.maps.sphere import Geometries


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What is told of a territory: loads by measure, and deviation by measure, as a share of the target."""

    territory_id: str
    name: str
    accounts: int
    loads: Mapping[str, float]
    deviation: Mapping[str, float]


def feature_collection(features: Iterable[Feature], geometries: Geometries) -> dict[str, Any]:
    """Return a document with a feature a territory: its polygons, shape (K,), in degrees, and what is told of it.

    Longitude goes before latitude, WGS 84; outer rings run counterclockwise; what crosses the antimeridian is cut there.
    A territory without a place is a feature with a null geometry.
    """
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": feature.territory_id,
                "properties": {
                    "territory_id": feature.territory_id,
                    "name": feature.name,
                    "accounts": feature.accounts,
                    "loads": dict(feature.loads),
                    "deviation": dict(feature.deviation),
                },
                "geometry": _geometry(geometry),
            }
            for feature, geometry in zip(features, geometries, strict=True)
        ],
    }


def shapes_of(geometries: Iterable[Mapping[str, Any] | None]) -> list[shapely.Geometry]:
    """Return the shapes of GeoJSON geometries, one a unit; an empty one for None and for what is no polygon.

    Raise WrongShapeError for what is no GeoJSON.
    """
    shapes = []
    for number, geometry in enumerate(geometries):
        try:
            shape = shapely.MultiPolygon() if geometry is None else shapely.from_geojson(json.dumps(geometry))
        except (shapely.errors.GEOSException, TypeError, ValueError) as error:
            raise WrongShapeError(number) from error
        shapes.append(shape if shape.geom_type in {"Polygon", "MultiPolygon"} else shapely.MultiPolygon())
    return shapes


class WrongShapeError(ValueError):
    """A geometry is no GeoJSON: `number` tells which, from 0."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Geometry {number} is no GeoJSON geometry.")
        self.number = number


def _geometry(geometry: shapely.Geometry) -> dict[str, Any] | None:
    if geometry is None or geometry.is_empty:
        return None
    polygons = [
        [shapely.get_coordinates(ring).round(7).tolist() for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in shapely.get_parts(geometry)
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}
