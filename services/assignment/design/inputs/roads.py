"""By what the road to each account is longer than the crow's way: by the first region it is in, as told. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.runs.run import RoadRegion

Named = tuple[str | None, str | None]
"""A state and a county; None for any."""


@dataclass(slots=True)
class Roads:
    """Looks up accounts page by page, by their states and counties, and all of them at once by where they lie.

    overall: the factor of accounts in none of the regions.
    """

    overall: float
    regions: Sequence[RoadRegion]
    _first: list[Labels] = field(default_factory=list)
    _named: dict[Named, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note where each name comes first."""
        for number, one in enumerate(self.regions):
            if one.area is None:
                self._named.setdefault((one.state, one.county), number)

    def take(self, rows: Iterable[Any]) -> None:
        """Add the next accounts that take part."""
        numbers = [self._number(row.state, row.county) for row in rows]
        self._first.append(np.array(numbers, dtype=np.int32))

    def factors(self, latitude: Floats, longitude: Floats) -> Floats:
        """Return the factors of all accounts that were taken, shape (n,), who are at so many degrees, (n,)."""
        # Whoever asks for no factors needs no geometry either.
        import shapely  # noqa: PLC0415

        from services.assignment.design.engine.areas import told_by_region  # noqa: PLC0415

        count = len(self.regions)
        drawn = [(number, one.area) for number, one in enumerate(self.regions) if one.area is not None]
        shapes = [shapely.Polygon(area[0], area[1:]) for _, area in drawn]
        numbers = np.array([number for number, _ in drawn], dtype=np.float64)
        within = told_by_region(latitude, longitude, shapes, numbers, otherwise=count).astype(np.int32)
        first = np.minimum(np.concatenate([*self._first, np.empty(0, np.int32)]), within)
        told = np.array([*(one.factor for one in self.regions), self.overall], dtype=np.float64)
        return np.asarray(told[first])

    def _number(self, state: str | None, county: str | None) -> int:
        """Return the number of the first region with a name that an account of this state and county is in."""
        none = len(self.regions)
        return min(
            self._named.get((state, county), none),
            self._named.get((state, None), none),
            self._named.get((None, county), none),
        )
