"""Problems for the engine: places of several shapes, measures, and everything that can be asked of territories."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem, loads_of
from tests.unit.assignment.design.engine.recheck import parts

SHAPES = ("even", "clusters", "grid", "line")


def places(random: np.random.Generator, shape: str, units: int) -> Floats:
    """Return places in km, shape (n, 2)."""
    if shape == "clusters":
        towns = random.uniform(0, 100, (max(2, units // 20), 2))
        return towns[random.integers(0, len(towns), units)] + random.normal(0, 4, (units, 2))
    if shape == "grid":
        return np.column_stack(np.divmod(np.arange(units), int(np.sqrt(units)))) * 1.0
    if shape == "line":
        return np.column_stack([random.uniform(0, 100, units), np.zeros(units)])
    return random.uniform(0, 100, (units, 2))


def plain(
    units: int = 200,
    territories: int = 5,
    seed: int = 0,
    *,
    columns: int = 1,
    tolerance: float = 0.05,
    whole: bool = True,
    **fields: Any,
) -> Problem:
    """Return units spread evenly, of about one size, with so many columns of measures.

    `whole` asks for territories in one part.
    """
    random = np.random.default_rng(seed)
    xy = fields.pop("xy", random.uniform(0, 100, (units, 2)))
    made: dict[str, Any] = {
        "xy": xy,
        "weight": random.uniform(0.5, 1.5, units),
        "measures": random.uniform(0.5, 1.5, (units, columns)),
        "targets": np.ones((territories, columns)),
        "tolerance": np.full(columns, tolerance),
        "adjacency": neighbours(xy) if whole else None,
    }
    return Problem(**(made | fields))


def planted(
    seed: int, *, most_units: int = 400, measures: tuple[int, ...] = (1, 2)
) -> tuple[Problem, Labels]:
    """Return a problem and a plan that solves it with deviation 0, in whole territories.

    The largest unit is below 0.9 of the smallest target.
    """
    random = np.random.default_rng(seed)
    while True:
        units = int(np.exp(random.uniform(np.log(20), np.log(most_units))))
        territories = int(np.clip(random.integers(2, 12), 2, units // 4))
        xy = places(random, str(random.choice(SHAPES[:3])), units)
        size = np.exp(random.normal(0, random.choice([0.2, 0.6]), (units, int(random.choice(measures)))))
        adjacency = neighbours(xy)
        labels = _by_nearest(random, xy, territories)
        targets = loads_of(labels, size, territories)
        if targets.min() <= 0 or (parts(adjacency, labels, territories) != 1).any():
            continue
        if (size.max(axis=0) / targets.min(axis=0)).max() < 0.9 and targets.max() < 8 * targets.min():
            break
    problem = Problem(
        xy=xy,
        weight=random.uniform(0.5, 2, units),
        measures=size,
        targets=targets,
        tolerance=np.full(size.shape[1], random.choice([0.05, 0.1])),
        adjacency=adjacency if random.random() < 0.6 else None,
    )
    return problem, labels


def _by_nearest(random: np.random.Generator, xy: Floats, territories: int) -> Labels:
    """Return the nearest of some centres for each place, after a few rounds of k-means."""
    centres = xy[random.choice(len(xy), territories, replace=False)]
    for _ in range(8):
        labels = ((xy[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1).astype(np.int32)
        held = np.bincount(labels, minlength=territories)
        sums = np.column_stack([np.bincount(labels, xy[:, d], territories) for d in (0, 1)])
        centres = np.where(held[:, None] > 0, sums / np.maximum(held, 1)[:, None], centres)
    return labels


@st.composite
def problems(draw: st.DrawFn, *, most_units: int = 120) -> Problem:
    """Anything that may be asked, whether or not a plan can hold it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    units = draw(st.integers(2, most_units))
    territories = draw(st.integers(1, min(9, units)))
    xy = places(random, draw(st.sampled_from(SHAPES)), units)
    measures = draw(st.integers(1, 3))
    fields: dict[str, Any] = {"targets": random.uniform(0.5, 2, (territories, 1)) * np.ones((1, measures))}
    for name in draw(st.sets(st.sampled_from(sorted(_WISHES)), max_size=4)):
        fields |= _WISHES[name](random, units, territories, measures)
    if "fixed" in fields and "kinds" in fields:
        del fields["fixed"]
    return Problem(
        xy=xy,
        weight=random.uniform(0.5, 2, units),
        measures=np.exp(random.normal(0, draw(st.sampled_from([0.0, 0.3, 0.8])), (units, measures))),
        tolerance=np.full(measures, draw(st.sampled_from([0.03, 0.1, 0.3]))),
        adjacency=neighbours(xy) if draw(st.booleans()) else None,
        **fields,
    )


def _homes(random: np.random.Generator, _units: int, territories: int, _measures: int) -> dict[str, Any]:
    homes = random.uniform(0, 100, (territories, 2))
    homes[random.random(territories) < 0.3] = np.nan
    return {"homes": homes, "pull": float(random.choice([0.3, 1.0]))}


def _kinds(random: np.random.Generator, units: int, territories: int, _measures: int) -> dict[str, Any]:
    permitted = random.random((3, territories)) < 0.6
    permitted[np.arange(3), random.integers(0, territories, 3)] = True
    return {"kinds": random.integers(0, 3, units), "permitted": permitted}


def _today(random: np.random.Generator, units: int, territories: int, _measures: int) -> dict[str, Any]:
    return {
        "incumbents": random.integers(-1, territories, units).astype(np.int32),
        "move_value": random.uniform(0, 3, units),
        "stay": float(random.choice([0.0, 0.1, 2.0])),
        "most_moved": float(random.choice([0.3, 1.0])),
    }


def _sizes(random: np.random.Generator, units: int, territories: int, _measures: int) -> dict[str, Any]:
    counts = random.integers(1, 5, units) * 1.0 if random.random() < 0.5 else None
    total = units if counts is None else counts.sum()
    return {
        "counts": counts,
        "least_units": np.full(territories, np.floor(0.5 * total / territories)),
        "most_units": np.full(territories, np.ceil(1.6 * total / territories)),
    }


def _fixed(random: np.random.Generator, units: int, territories: int, _measures: int) -> dict[str, Any]:
    some = random.random(units) < 0.1
    return {"fixed": np.where(some, random.integers(0, territories, units), -1).astype(np.int32)}


def _soft(_random: np.random.Generator, _units: int, _territories: int, measures: int) -> dict[str, Any]:
    return {"soft": np.arange(measures) > 0}


_WISHES = {
    "homes": _homes,
    "kinds": _kinds,
    "today": _today,
    "sizes": _sizes,
    "fixed": _fixed,
    "soft": _soft,
}
