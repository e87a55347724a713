"""Answers about shapes, and the body that brings them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from services.assignment.shapes.queries import ShapeSet
from services.assignment.shapes.shape import ShapeLevel
from shared.http.bodies import View
from shared.http.principal import MANAGERS, Principal

GEOJSON = "application/geo+json"

SHAPES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            GEOJSON: {
                "schema": {"type": "object"},
                "example": {
                    "type": "FeatureCollection",
                    "features": [
                        {
                            "type": "Feature",
                            "properties": {"GEOID": "25009"},
                            "geometry": {
                                "type": "Polygon",
                                "coordinates": [[[-71, 42], [-70, 42], [-70, 43], [-71, 42]]],
                            },
                        }
                    ],
                },
            }
        },
    }
}


class ShapeSetView(View):
    """The shapes that there are of postal codes, or of counties."""

    level: ShapeLevel
    key_property: str = Field(description="The property of each feature that was taken for its key.")
    shapes: int = Field(description="Keys that have a shape.")
    put_at: datetime
    put_by: str | None = Field(description="Null for viewers and contributors.")

    @classmethod
    def of(cls, found: ShapeSet, by: Principal) -> "ShapeSetView":
        """Show a set as far as the caller may see it."""
        view = cls.model_validate(found)
        return view if by.roles & MANAGERS else view.model_copy(update={"put_by": None})


class ShapeSetsView(View):
    """All shapes there are, level by level."""

    items: list[ShapeSetView]
