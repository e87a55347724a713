"""Territories in balance at little travel, before anyone asks whether they hang together: the dual, coarse and then fine."""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.descent import HOT, Anchors, descend, settle
from services.assignment.design.engine.dual import Band, Dual
from services.assignment.design.engine.level import Units, coarsen, curve_order, make_level
from services.assignment.design.engine.problem import Effort, loads_of
from services.assignment.design.engine.proposal import EnoughError, Stage, Watcher
from services.assignment.design.engine.regions import by_regions
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.starts import bisect

_FINE_BLOCK = 32
_COARSE_BLOCK = 4
_CELLS = 40
_FEWEST_CELLS = 1_000
_COARSE_BAND = 0.9
_LUMPY = 0.6
_COLD = (0.05, 0.02, 0.01)
# From so many territories on they are cut by regions.
_NESTED = 1_000
# Where territories are many, beginnings differ by little: so many territories, over all beginnings, are tried.
_TRIED = 1_000
# A few units more or less are worth many beginnings.
_SMALL = 300
_MORE_IF_SMALL = 4


@dataclass(frozen=True, slots=True)
class Balanced:
    """labels (n,) of all units; centres (K, 2) and prices (K, A) that they come from."""

    labels: Labels
    centres: Floats
    prices: Floats


class Free:
    """The units that may move, in the order of blocks, and what the others leave of the band."""

    def __init__(self, scaled: Scaled) -> None:
        units, territories = scaled.units, scaled.territories
        free = np.flatnonzero(scaled.movable)
        self.order: Integers = free[curve_order(units.taken(free))] if len(free) else free
        self.units: Units = units.taken(self.order)
        fixed = np.flatnonzero(~scaled.movable)
        where = scaled.fixed[fixed]
        weight = units.weight[fixed]
        held = [
            np.bincount(where, value, territories)
            for value in (weight, *(units.xy[fixed] * weight[:, None]).T)
        ]
        loads = [np.bincount(where, column, territories) for column in units.measures[fixed].T]
        self.anchors = Anchors(scaled.homes, scaled.pull, np.column_stack(held))
        taken = np.column_stack(loads)
        band = scaled.band
        self.band = Band(np.maximum(band.low - taken, 0.0), np.maximum(band.high - taken, 1e-9), band.give)
        self.permitted = None if len(scaled.permitted) == 1 and scaled.permitted.all() else scaled.permitted

    def all_labels(self, labels: Labels, scaled: Scaled) -> Labels:
        """Return labels of all units, in their own order."""
        out = scaled.fixed.astype(np.int32)
        out[self.order] = labels
        return out

    def room(self) -> Floats:
        """Return the share of the band, shape (A,), to aim at: whole units land about half a unit off."""
        measures = self.units.measures
        unit = (measures**2).sum(axis=0) / np.maximum(measures.sum(axis=0), 1e-300)
        half = np.maximum(self.band.half.mean(axis=0), 1e-12)
        return np.asarray(1.0 - np.clip(0.5 * unit / half, 0.01, 0.5), np.float64)

    def lumpy(self) -> bool:
        """Tell whether units are so large that much of the band is lost to rounding."""
        return bool(self.room().min() < _LUMPY)


def beginnings(scaled: Scaled, free: Free, effort: Effort, watch: Watcher) -> list[tuple[Floats, Floats]]:
    """Return centres (K, 2) and prices (K, A) from several beginnings on a coarse map, the most promising first.

    As many as are asked for, or until the watcher has enough: one at least.
    """
    random = np.random.default_rng(effort.seed)
    cells = max(_FEWEST_CELLS, _CELLS * scaled.territories)
    units = coarsen(free.units, cells) if len(free.units.xy) > 1.5 * cells else free.units
    level = make_level(units, per_block=_COARSE_BLOCK)
    band = free.band.narrowed(_COARSE_BAND)
    starts = min(effort.starts, max(_TRIED // scaled.territories, 1))
    starts *= _MORE_IF_SMALL if len(units.xy) < _SMALL else 1
    found: list[tuple[float, int, Floats, Floats]] = []
    for start in range(starts):
        try:
            watch(Stage.STARTS, start / starts, None)
        except EnoughError:
            if found:
                break
        dual = Dual(level, band, _first_centres(scaled, units, random), permitted=free.permitted)
        dual.anneal(HOT, steps=4)
        settle(dual, 0.25, steps=2)
        descend(dual, effort.rounds, temperature=0.25, anchors=free.anchors)
        for temperature in (0.1, 0.05):
            dual.solve(temperature, steps=3)
        found.append((_score(dual, units, free.band), start, dual.centres, dual.prices))
    return [(centres, prices) for _, _, centres, prices in sorted(found, key=lambda one: one[:2])]


def are_many(scaled: Scaled, free: Free) -> bool:
    """Tell whether territories are so many, and so free, that they are cut by regions."""
    return scaled.territories > _NESTED and scaled.pull == 0.0 and free.permitted is None


def nested(scaled: Scaled, free: Free, effort: Effort, watch: Watcher) -> Balanced:
    """Balance by regions."""
    random = np.random.default_rng(effort.seed)
    band = free.band.narrowed(free.room())
    labels, centres, prices = by_regions(free.units, band, effort.rounds, random, watch)
    return Balanced(free.all_labels(labels, scaled), centres, prices)


def fine(scaled: Scaled, free: Free, centres: Floats, prices: Floats, watch: Watcher) -> Balanced:
    """Balance at full resolution, from centres and prices of a coarse map."""
    watch(Stage.BALANCE, 0.0, None)
    level = make_level(free.units, per_block=_FINE_BLOCK)
    dual = Dual(level, free.band.narrowed(free.room()), centres, prices, free.permitted)
    settle(dual, 0.25, steps=3)
    dual.solve(0.1, steps=3)
    descend(dual, 2, temperature=0.1, anchors=free.anchors)
    watch(Stage.BALANCE, 0.5, None)
    for temperature in _COLD:
        dual.solve(temperature, steps=5)
    return Balanced(free.all_labels(dual.labels(), scaled), dual.centres, dual.prices)


def _first_centres(scaled: Scaled, units: Units, random: np.random.Generator) -> Floats:
    centres = bisect(units.xy, units.weight, scaled.target.mean(axis=1), random)
    if scaled.pull == 0.0:
        return centres
    return np.where(np.isnan(scaled.homes), centres, scaled.homes)


def _score(dual: Dual, units: Units, band: Band) -> float:
    """Return what a start is worth: its travel, dearer the further it is out of balance; less is better."""
    labels = dual.labels()
    off = ((units.xy - dual.centres[labels]) ** 2).sum(axis=1)
    loads = loads_of(labels, units.measures, dual.territories)
    out = np.maximum(loads - band.high, band.low - loads) - 2 * band.half
    return float((units.weight * off).sum() * (1 + 2 * max(float(out.max()), 0.0)))
