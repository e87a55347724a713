"""The real map under the demo: counties with their labour force and the postal codes inside them."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Place:
    """A postal code: where an account or a rep can be."""

    postal_code: str
    city: str
    state: str
    county: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class County:
    """A county, its market size and its places."""

    fips: str
    name: str
    labor_force: int
    places: tuple[Place, ...]

    @cached_property
    def state(self) -> str:
        """Return the state that most of its places name."""
        states = [place.state for place in self.places]
        return max(sorted(set(states)), key=states.count)


def load_counties() -> tuple[County, ...]:
    """Return the counties of the fifty states and the District, by FIPS code.

    Five counties of Alaska and Virginia hold no postal code of their own; Puerto Rico is not on the map.
    """
    places = defaultdict[str, list[Place]](list)
    for place in _places():
        places[place.county].append(place)
    return tuple(
        County(row["fips"], row["county"], int(row["labor_force"]), tuple(places[row["fips"]]))
        for row in _rows("bls_county_labor_2009.csv.gz")
        if row["fips"] in places
    )


def _places() -> Iterator[Place]:
    for row in _rows("geonames_us_zip.csv.gz"):
        # A code whose point lies in another state than its name is a misprint: no home for a demo account.
        if row["county_poly"][:2] == row["county_geonames"][:2]:
            yield Place(
                postal_code=row["zip"],
                city=row["city"],
                state=row["st"],
                county=row["county_poly"],
                latitude=float(row["lat"]),
                longitude=float(row["lon"]),
            )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
