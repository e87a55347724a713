"""What the design benches are run on: places in the United States and accounts drawn around its cities.

- counties: 3,108 counties that touch where they share a border; measures population, income, ZIPs. The largest has a
  fiftieth and more of all people: lumpy.
- zips: 32,722 ZIPs; measures population, income, and a workload of half a day per ZIP and half an hour per 100
  households, which makes it oppose population.
- accounts of any number: drawn around 21,408 cities in proportion to their people; workload, market, potential.

data/NOTICE.md says where the places come from.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.design.geography import Floats, Integers, albers, link, triangulated

DATA = Path(__file__).parent / "data"
KEPT = Path(".local/design-bench")
SEED = 7
HOURS_PER_100_HOUSEHOLDS, HOURS_PER_ZIP = 0.5, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Units: xy (n, 2) in km, measures (n, A) with their names, weight (n,), who touches whom (starts, targets)."""

    name: str
    names: tuple[str, ...]
    xy: Floats
    measures: Floats
    weight: Floats
    starts: Integers
    targets: Integers

    @property
    def units(self) -> int:
        """How many units."""
        return len(self.xy)

    def save(self, path: Path) -> None:
        """Write it, for processes that are measured on it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self, name) for name in ("xy", "measures", "weight", "starts", "targets")}
        np.savez(path, name=np.array(self.name), names=np.array(self.names), **arrays)


def load(path: Path) -> Instance:
    """Read what `save` wrote."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in ("xy", "measures", "weight", "starts", "targets")}
        return Instance(name=str(file["name"]), names=tuple(file["names"].tolist()), **arrays)


def named(name: str) -> Instance:
    """Make `counties`, `zips`, or accounts by their number: `200k`, `1m`. KeyError for another name."""
    if name == "counties":
        return counties()
    if name == "zips":
        return zips()
    if name[:-1].isdigit() and name[-1] in "km":
        return accounts(int(name[:-1]) * {"k": 1_000, "m": 1_000_000}[name[-1]])
    raise KeyError(name)


def kept(name: str) -> Path:
    """Return where an instance lies as a file, and make it if it does not: a million accounts take their time."""
    path = KEPT / f"{name}.npz"
    if not path.exists():
        named(name).save(path)
    return path


def counties() -> Instance:
    """Make the counties."""
    table = _columns("counties", skip=("fips",))
    xy = albers(table["lat"], table["lon"])
    links = _columns("county_links")
    pairs = np.column_stack([links["a"], links["b"]]).astype(np.int64)
    starts, targets = link(len(xy), pairs)
    return Instance(
        name="counties",
        names=("population", "income", "zips"),
        xy=xy,
        measures=np.column_stack([table["population"], table["income_m"], table["zips"]]),
        weight=table["population"],
        starts=starts,
        targets=targets,
    )


def zips() -> Instance:
    """Make the ZIPs."""
    table = _columns("zips", skip=("zip",))
    households = table["households"]
    workload = households / 100 * HOURS_PER_100_HOUSEHOLDS + HOURS_PER_ZIP
    income = households * table["median_income"] / 1e6
    xy = albers(table["lat"], table["lon"])
    return _triangulated(
        "zips", xy, ("population", "income", "workload"), table["population"], income, workload
    )


def accounts(n: int, seed: int = SEED) -> Instance:
    """Draw accounts around cities: closer to small ones (2 km) than to large ones (some 25 km); sizes log-normal."""
    table = _columns("cities")
    people = table["population"]
    random = np.random.default_rng(seed)
    city = random.choice(len(people), n, p=people / people.sum())
    spread_km = 2.0 + 8.0 * np.sqrt(people[city] / 1e6)
    xy = albers(table["lat"], table["lon"])[city] + random.normal(0, 1, (n, 2)) * spread_km[:, None]
    size = random.lognormal(0, 1.0, n)
    workload = 2.0 + 4.0 * size**0.5 * random.lognormal(0, 0.2, n)
    market = 10.0 * size * random.lognormal(0, 0.4, n)
    potential = 3.0 * size**0.8 * random.lognormal(0, 0.5, n)
    return _triangulated(
        f"{n // 1000}k accounts", xy, ("workload", "market", "potential"), workload, market, potential
    )


def _triangulated(name: str, xy: Floats, names: tuple[str, ...], *measures: Floats) -> Instance:
    starts, targets = link(len(xy), triangulated(xy))
    return Instance(
        name=name,
        names=names,
        xy=xy,
        measures=np.column_stack(measures),
        weight=measures[0],
        starts=starts,
        targets=targets,
    )


def _columns(name: str, skip: tuple[str, ...] = ()) -> dict[str, Floats]:
    rows = list(_rows(name))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0] if key not in skip}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="ascii") as file:
        yield from csv.DictReader(file)
