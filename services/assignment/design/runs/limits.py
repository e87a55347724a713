"""What territories are held to beside balance, as a caller says it and is told: sizes, barriers, who stays together."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from services.assignment.design.runs.run import Size
from shared.http.bodies import Body, Name, View

# As many as a tree may have territories.
_MOST_TERRITORIES = 5_000
_MOST_ACCOUNTS = 100_000_000
_MOST_LINES = 1_000
# What a river of a country has on a good map; more would be felt in every run.
MOST_VERTICES = 20_000
# As many as a body has room for.
MOST_RELATIVES = 20_000
MOST_FORBIDDEN = 20_000
_HALF_AROUND = 180

Number = Annotated[int, Field(ge=1, le=_MOST_ACCOUNTS)]


def _on_earth(position: list[float]) -> list[float]:
    if not (abs(position[0]) <= 180 and abs(position[1]) <= 90):
        raise ValueError("it is a longitude from -180 to 180 and a latitude from -90 to 90, in degrees")
    return position


# One type and not one of two or three numbers: what is wrong is then told once, and where.
Position = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]],
    Field(min_length=2, max_length=3),
    AfterValidator(_on_earth),
]


class SizeBody(Body):
    """How many accounts a territory may have."""

    least: Number | None = None
    most: Number | None = Field(default=None, validate_default=True)

    @field_validator("most")
    @classmethod
    def _not_below(cls, most: int | None, info: ValidationInfo) -> int | None:
        least = info.data.get("least")
        if most is not None and least is not None and most < least:
            raise ValueError(f"it is below least, {least}")
        return most

    def size(self) -> Size:
        """Return what the run is held to."""
        return Size(self.least, self.most)


class TerritorySizeBody(SizeBody):
    """How many accounts one territory may have; what is left out is as for all."""

    territory_id: UUID


class SizesBody(SizeBody):
    """How many accounts territories may have: all of them, and single ones."""

    territories: list[TerritorySizeBody] = Field(default=[], max_length=_MOST_TERRITORIES)

    @field_validator("territories")
    @classmethod
    def _each_once(
        cls, territories: list[TerritorySizeBody], info: ValidationInfo
    ) -> list[TerritorySizeBody]:
        _once([str(one.territory_id) for one in territories])
        for one in territories:
            # Here and not later: what is left out comes from what holds for all.
            least, most = one.least or info.data.get("least"), one.most or info.data.get("most")
            if least is not None and most is not None and most < least:
                raise ValueError(f"{one.territory_id}: {least} at least and {most} at most cannot both be")
        return territories

    def single(self) -> dict[UUID, Size]:
        """Return what territories are held to that something is said of."""
        return {
            one.territory_id: Size(one.least or self.least, one.most or self.most) for one in self.territories
        }


class FamilyBody(Body):
    """Accounts that belong together for a reason that is not known here: a parent and its subsidiaries."""

    name: Name
    account_ids: list[UUID] = Field(min_length=1, max_length=MOST_RELATIVES)


Families = Annotated[list[FamilyBody], Field(max_length=MOST_RELATIVES)]


def check_families(families: Sequence[FamilyBody]) -> None:
    """Raise ValueError for a name or an account that comes twice, and for more accounts than a run takes."""
    relatives = [account_id for family in families for account_id in family.account_ids]
    if len(relatives) > MOST_RELATIVES:
        raise ValueError(f"there are {len(relatives):,} accounts, and {MOST_RELATIVES:,} are the most")
    _once([family.name for family in families])
    _once([str(account_id) for account_id in relatives])


def _once(values: Sequence[str]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"say everything once, and not twice {', '.join(twice[:3])}")


class ForbiddenBody(Body):
    """Accounts that a territory may not have."""

    territory_id: UUID
    account_ids: list[UUID] = Field(min_length=1, max_length=MOST_FORBIDDEN)


Forbiddens = Annotated[list[ForbiddenBody], Field(max_length=_MOST_TERRITORIES)]


def check_forbidden(forbidden: Sequence[ForbiddenBody]) -> None:
    """Raise ValueError for a territory, or an account of one, that comes twice, and for more pairs than a run takes."""
    pairs = sum(len(one.account_ids) for one in forbidden)
    if pairs > MOST_FORBIDDEN:
        raise ValueError(f"there are {pairs:,} pairs, and {MOST_FORBIDDEN:,} are the most")
    _once([str(one.territory_id) for one in forbidden])
    for one in forbidden:
        _once([str(account_id) for account_id in one.account_ids])


def check_sides(line: Sequence[Sequence[float]]) -> None:
    """Raise ValueError for a side that goes more than half around the earth, but not all: it was meant to go the other way."""
    if any(_HALF_AROUND < abs(one[0] - other[0]) < 2 * _HALF_AROUND for one, other in pairwise(line)):
        raise ValueError("a side goes more than half around the earth; cut it at the 180th meridian")


class LineStringBody(Body):
    """A line on the map (RFC 7946, LineString): longitude and latitude of each point, an altitude counts for nothing."""

    type: Literal["LineString"]
    coordinates: Annotated[list[Position], Field(min_length=2, max_length=MOST_VERTICES)]

    @field_validator("coordinates")
    @classmethod
    def _short(cls, coordinates: list[Position]) -> list[Position]:
        check_sides(coordinates)
        return coordinates


Barriers = Annotated[list[LineStringBody], Field(max_length=_MOST_LINES)]


def check_vertices(barriers: Sequence[LineStringBody]) -> None:
    """Raise ValueError for more points than a run takes."""
    vertices = sum(len(line.coordinates) for line in barriers)
    if vertices > MOST_VERTICES:
        raise ValueError(
            f"there are {vertices:,} points, and {MOST_VERTICES:,} are the most; simplify the lines"
        )


class LineStringView(View):
    """A line on the map (RFC 7946, LineString)."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]]


class BarriersView(View):
    """Lines that no territory of a run crosses."""

    items: list[LineStringView]


class FamilyView(View):
    """Accounts that go to one territory."""

    name: str
    account_ids: list[UUID]


class FamiliesView(View):
    """Accounts of a run that were told to belong together."""

    items: list[FamilyView]


class ForbiddenView(View):
    """Accounts that a territory may not have."""

    territory_id: UUID
    account_ids: list[UUID]


class AllForbiddenView(View):
    """What territories of a run may not have, territory by territory."""

    items: list[ForbiddenView]
