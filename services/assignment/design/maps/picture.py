"""What a picture of a design shows."""

from dataclasses import dataclass

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.geography import Plane
from services.assignment.design.maps.sphere import Geometries


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One map. territories (K,): what each covers, in degrees. deviation (K,): of its load, as a share of its target.

    figures: what is told of it as a whole, one after the other ("largest deviation +4.9 %", "mean way 104 km").
    """

    heading: str
    territories: Geometries
    deviation: Floats
    figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Territories before and after, or after alone. names (K,); plane: where they are drawn.

    measure: what the deviations are of. moved_latitude, moved_longitude (m,): the units that are elsewhere after.
    """

    title: str
    figures: tuple[str, ...]
    measure: str
    names: tuple[str, ...]
    plane: Plane
    before: Side | None
    after: Side
    moved_latitude: Floats
    moved_longitude: Floats

    @property
    def sides(self) -> tuple[Side, ...]:
        """The maps from left to right."""
        return (self.after,) if self.before is None else (self.before, self.after)
