"""By what roads are longer than the crow's ways, as a caller says it and is told: overall, and region by region."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from services.assignment.design.runs.limits import MOST_VERTICES, Position, check_sides
from services.assignment.design.runs.run import RoadRegion
from shared.http.bodies import Body, Name, View

_MOST_REGIONS = 1_000
# Ten times the crow's way is an island without a bridge; more is a slip of the pen.
LARGEST_FACTOR = 10.0

Factor = Annotated[float, Field(ge=1, le=LARGEST_FACTOR, allow_inf_nan=False)]
RingBody = Annotated[list[Position], Field(min_length=4)]


class PolygonBody(Body):
    """An area on the map (RFC 7946, Polygon): rings of longitude and latitude, the outer one first, holes after it."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[RingBody], Field(min_length=1, max_length=MOST_VERTICES)]

    @field_validator("coordinates")
    @classmethod
    def _closed(cls, rings: list[RingBody]) -> list[RingBody]:
        for number, ring in enumerate(rings):
            if ring[0][:2] != ring[-1][:2]:
                raise ValueError(f"ring {number} does not end where it begins")
            check_sides(ring)
        return rings


class RoadRegionBody(Body):
    """Where roads wind more, or less, than elsewhere: a state, a county, or an area; all of its accounts have the factor."""

    factor: Factor
    state: Name | None = Field(default=None, description="As accounts have it.")
    county: Name | None = Field(
        default=None, description="As accounts have it: of that state, or of any where none is told."
    )
    area: PolygonBody | None = Field(
        default=None,
        validate_default=True,
        description="Instead of names; one across the 180th meridian is told in two.",
    )

    @field_validator("area")
    @classmethod
    def _one_of_both(cls, area: PolygonBody | None, info: ValidationInfo) -> PolygonBody | None:
        named = info.data.get("state") is not None or info.data.get("county") is not None
        # Of a name that is refused itself nothing more is to be said.
        if {"state", "county"} <= info.data.keys() and named == (area is not None):
            raise ValueError("say where it is: either by state or county, or by an area")
        return area

    def region(self) -> RoadRegion:
        """Return what the run is told."""
        area = None
        if self.area is not None:
            area = [[(point[0], point[1]) for point in ring] for ring in self.area.coordinates]
        return RoadRegion(self.factor, self.state, self.county, area)


class RoadFactorsBody(Body):
    """By what roads are longer than the crow's ways: 1.2 to 1.4 in most countries, more in mountains and along coasts."""

    overall: Factor = Field(default=1, description="Of accounts in none of the regions.")
    regions: list[RoadRegionBody] = Field(
        default=[],
        max_length=_MOST_REGIONS,
        description="The first one that an account is in counts.",
    )

    @field_validator("regions")
    @classmethod
    def _not_too_fine(cls, regions: list[RoadRegionBody]) -> list[RoadRegionBody]:
        areas = [one.area for one in regions if one.area is not None]
        corners = sum(len(ring) for area in areas for ring in area.coordinates)
        if corners > MOST_VERTICES:
            raise ValueError(
                f"there are {corners:,} points, and {MOST_VERTICES:,} are the most; simplify the areas"
            )
        return regions


class PolygonView(View):
    """An area on the map (RFC 7946, Polygon)."""

    type: Literal["Polygon"] = "Polygon"
    coordinates: list[list[tuple[float, float]]]


class RoadRegionView(View):
    """Where roads have a factor of their own: a state, a county, or an area."""

    factor: float
    state: str | None
    county: str | None
    area: PolygonView | None

    @classmethod
    def of(cls, one: RoadRegion) -> "RoadRegionView":
        """Show a region."""
        area = None if one.area is None else PolygonView(coordinates=[list(ring) for ring in one.area])
        return cls(factor=one.factor, state=one.state, county=one.county, area=area)


class RoadRegionsView(View):
    """Regions of a run with road factors of their own, in the order in which they are looked through."""

    items: list[RoadRegionView]
