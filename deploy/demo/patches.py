"""The sixty patches of the demo: the country cut along counties into balanced pieces, each with a name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, radians

from deploy.demo.bisection import Atom, bisect_map
from deploy.demo.geography import County, Place
from deploy.demo.regions import AREA_OF_STATE, REGIONS, share_out

PATCHES = 56
_DIRECTIONS = {2: ("North", "South"), 3: ("North", "Central", "South")}
_SIDEWAYS = {2: ("West", "East"), 3: ("West", "Central", "East")}


@dataclass(frozen=True)
class Patch:
    """A geographic territory to be: whole counties, and postal codes of counties that were cut."""

    name: str
    area: str
    counties: tuple[str, ...]
    postal_codes: tuple[str, ...]
    places: tuple[Place, ...]
    labor_force: int


def cut_patches(counties: Sequence[County], total: int = PATCHES) -> tuple[Patch, ...]:
    """Cut the country into `total` patches; every area gets its share by labour force."""
    by_area = defaultdict[str, list[County]](list)
    for county in counties:
        by_area[AREA_OF_STATE[county.state]].append(county)
    force = {area: sum(county.labor_force for county in found) for area, found in by_area.items()}
    shares = share_out(total, force)
    too_big = sum(force.values()) / total / 2
    patches = [
        patch
        for areas in REGIONS.values()
        for area in areas
        for patch in _cut_area(area, by_area[area], shares[area], too_big)
    ]
    return tuple(_with_unique_names(patches))


def _cut_area(area: str, counties: Sequence[County], parts: int, too_big: float) -> Iterator[Patch]:
    atoms = [atom for county in counties for atom in _atoms(county, too_big)]
    for part in bisect_map(atoms, parts):
        inside = _places_by_county(part, counties)
        cut = {county.fips for county, places in inside.items() if len(places) < len(county.places)}
        yield Patch(
            name=_leading_place(inside),
            area=area,
            counties=tuple(county.fips for county in inside if county.fips not in cut),
            postal_codes=tuple(
                p.postal_code for places in inside.values() for p in places if p.county in cut
            ),
            places=tuple(place for places in inside.values() for place in places),
            labor_force=round(sum(atom.weight for atom in part)),
        )


def _atoms(county: County, too_big: float) -> Iterator[Atom]:
    groups = [(county.fips, county.places)]
    if county.labor_force > too_big:
        groups = [(_atom_of(place), (place,)) for place in county.places]
    for name, places in groups:
        latitude, longitude = centre(places)
        x = longitude * cos(radians(latitude))
        yield Atom(name, county.labor_force * len(places) / len(county.places), x, latitude)


def _atom_of(place: Place) -> str:
    # Postal codes and county codes both have five digits: the atom of a code names both.
    return f"{place.county}/{place.postal_code}"


def _places_by_county(part: Sequence[Atom], counties: Sequence[County]) -> dict[County, tuple[Place, ...]]:
    names = {atom.name for atom in part}
    found = {
        county: tuple(p for p in county.places if county.fips in names or _atom_of(p) in names)
        for county in counties
    }
    return {county: places for county, places in found.items() if places}


def centre(places: Iterable[Place]) -> tuple[float, float]:
    """Return the mean latitude and longitude; the Aleutians count as west of Alaska."""
    points = [(p.latitude, p.longitude - 360 * (p.longitude > 0)) for p in places]
    return sum(y for y, _ in points) / len(points), sum(x for _, x in points) / len(points)


def _leading_place(inside: Mapping[County, Sequence[Place]]) -> str:
    """Return the city that names most places of the part's biggest county, as "Fresno, CA"."""
    biggest = max(inside, key=lambda c: (c.labor_force * len(inside[c]) / len(c.places), c.fips))
    cities = Counter((place.city, place.state) for place in inside[biggest])
    (city, state), _ = min(cities.items(), key=lambda item: (-item[1], item[0]))
    return f"{city}, {state}"


def _with_unique_names(patches: Sequence[Patch]) -> Iterator[Patch]:
    namesakes = defaultdict[str, list[Patch]](list)
    for patch in patches:
        namesakes[patch.name].append(patch)
    suffix = {id(p): word for group in namesakes.values() for p, word in _tell_apart(group)}
    for patch in patches:
        city, state = patch.name.split(", ")
        yield replace(patch, name=f"{city}{suffix[id(patch)]}, {state}")


def _tell_apart(group: Sequence[Patch]) -> Iterator[tuple[Patch, str]]:
    centres = {id(patch): centre(patch.places) for patch in group}
    heights, sides = ([at[axis] for at in centres.values()] for axis in (0, 1))
    upright = max(heights) - min(heights) >= max(sides) - min(sides)
    words = (_DIRECTIONS if upright else _SIDEWAYS).get(len(group), [str(n + 1) for n in range(len(group))])
    by_place = sorted(group, key=lambda p: -centres[id(p)][0] if upright else centres[id(p)][1])
    for patch, word in zip(by_place, words, strict=True):
        yield patch, f" {word}" if len(group) > 1 else ""
