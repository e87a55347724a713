"""How many full-time reps, and territories, the work of accounts takes. Pure.

The workload method: what all accounts take, by what a rep gets done. Source: Talley, How to Design Sales Territories,
Journal of Marketing 25 (3), 1961, 7-13. There work is calls a year; here it is any measure, which per_rep is told in.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

# A tree has no more territories.
MOST_TERRITORIES = 5_000
# Numbers of territories that are worth a line each; beyond that every n-th is told.
_MOST_OPTIONS = 60
# Shares that differ by less are one: 1.05 of 100 is 105, and not a hair above.
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Work:
    """What accounts take of a measure: together, and the largest alone."""

    total: float
    largest: float


@dataclass(frozen=True, slots=True)
class Option:
    """What a number of equal territories would come to: load / per_rep - 1 is the deviation."""

    territories: int
    load: float
    deviation: float
    within_tolerance: bool
    largest_fits: bool


@dataclass(frozen=True, slots=True)
class Sizing:
    """How many territories the work takes.

    reps: total / per_rep. proposed: the number whose load is nearest to per_rep. fewest, most: the first and last that
    are within the tolerance, None where none is. most_whole: the last at which the largest account is not above what a
    territory may hold, None without work. options: what numbers around these come to.
    """

    reps: float
    proposed: int | None
    fewest: int | None
    most: int | None
    most_whole: int | None
    options: tuple[Option, ...]


def size_up(work: Work, *, per_rep: float, tolerance: float, also: tuple[float, ...] = ()) -> Sizing:
    """Return how many territories work takes at what a rep gets done (above 0) and a tolerance (0 to 1).

    also: numbers to tell among the options, those of a draft for instance.
    """
    reps = work.total / per_rep
    if reps <= 0.0:
        return Sizing(0.0, None, None, None, None, ())
    fewest = max(1, math.ceil(reps / (1 + tolerance) - _ALIKE))
    most = math.floor(reps / (1 - tolerance) + _ALIKE) if tolerance < 1.0 else None
    known = most is None or fewest <= most
    proposed = _nearest(reps)
    whole = math.floor((1 + tolerance) * work.total / work.largest + _ALIKE)
    around = [proposed, fewest, *also, proposed + 1 if most is None else most]
    return Sizing(
        reps=reps,
        proposed=proposed,
        fewest=fewest if known else None,
        most=most if known else None,
        most_whole=whole,
        options=tuple(
            _option(number, work, per_rep, tolerance)
            for number in _numbers([round(one) for one in around if one >= 1])
        ),
    )


def _nearest(reps: float) -> int:
    """Return the number of territories whose load is nearest to a rep's."""
    low = max(1, math.floor(reps))
    return min((low, low + 1), key=lambda number: abs(reps / number - 1))


def _numbers(around: list[int]) -> Iterator[int]:
    low = max(1, min(around) - 1)
    high = min(max(around) + 1, MOST_TERRITORIES)
    step = max(1, math.ceil((high - low + 1) / _MOST_OPTIONS))
    named = {one for one in around if one <= MOST_TERRITORIES}
    yield from sorted(named | set(range(low, high + 1, step)))


def _option(number: int, work: Work, per_rep: float, tolerance: float) -> Option:
    load = work.total / number
    deviation = load / per_rep - 1
    return Option(
        territories=number,
        load=load,
        deviation=deviation,
        within_tolerance=abs(deviation) <= tolerance + _ALIKE,
        largest_fits=work.largest <= load * (1 + tolerance + _ALIKE),
    )
