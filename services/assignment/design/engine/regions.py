"""Very many territories: regions first, each of some of them, and every region cut by itself.

The dual of thousands of territories at once has too many places where one of them is out, and starts anew for all. A
region of a hundred and fifty seldom does.
"""

from contextlib import suppress

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.descent import HOT, Anchors, descend, settle
from services.assignment.design.engine.dual import Band, Dual
from services.assignment.design.engine.level import Units, coarsen, make_level
from services.assignment.design.engine.proposal import EnoughError, Stage, Watcher
from services.assignment.design.engine.starts import bisect

_PER_REGION = 150
_CELLS = 40
# Regions keep closer to their targets than territories have to, so that the latter have room left.
_REGION_BAND = 0.2
_COLD = (0.1, 0.05, 0.02, 0.01)


def by_regions(
    units: Units, band: Band, rounds: int, random: np.random.Generator, watch: Watcher
) -> tuple[Labels, Floats, Floats]:
    """Return labels (n,), centres (K, 2) and prices (K, A) for units, in the order of a curve, put into this band."""
    territories = len(band.low)
    groups = np.array_split(np.arange(territories), max(round(territories / _PER_REGION), 1))
    low, high = (np.array([side[group].sum(axis=0) for group in groups]) for side in (band.low, band.high))
    # There is one beginning, and it is wanted.
    with suppress(EnoughError):
        watch(Stage.STARTS, 0.0, None)
    region = _cut(units, Band(low, high, band.give).narrowed(_REGION_BAND), rounds, random).labels()
    labels = np.empty(len(region), np.int32)
    centres, prices = np.empty((territories, 2)), np.empty_like(band.low)
    for number, group in enumerate(groups):
        watch(Stage.BALANCE, number / len(groups), None)
        members: Integers = np.flatnonzero(region == number)
        inner = _cut(units.taken(members), Band(band.low[group], band.high[group], band.give), rounds, random)
        labels[members] = group[inner.labels()]
        centres[group] = inner.centres
        prices[group] = inner.prices
    ratio = units.measures.sum(axis=0) / units.weight.sum()
    level = _levels(units, region.astype(np.int64), groups, centres, prices @ ratio)
    # One price per weight, whatever the measure: their sum over a mean unit's measures.
    for number, group in enumerate(groups):
        prices[group] += level[number] / max(float(ratio.sum()), 1e-300)
    return labels, centres, prices


def _levels(units: Units, region: Integers, groups: list[Integers], centres: Floats, pay: Floats) -> Floats:
    """Return what is added to the prices of each region, shape (R,), so that borders between regions are where they are.

    At a unit on a border, the cheapest territory of either region should cost the same: least squares over such units, each
    by the scale of its place. centres (K, 2); pay (K,), prices per weight.
    """
    count = len(groups)
    trees, lift = [], []
    for group in groups:
        lowest = pay[group].min()
        trees.append(cKDTree(np.column_stack([centres[group], np.sqrt(pay[group] - lowest)])))
        lift.append(lowest)
    _, near = cKDTree(units.xy).query(units.xy, k=min(6, len(units.xy)))
    here = np.repeat(np.arange(len(near)), near.shape[1])
    there = near.ravel()
    border = region[here] != region[there]
    here, other = here[border], region[there[border]]
    own = region[here]
    points = np.column_stack([units.xy[here], np.zeros(len(here))])
    cost, scale = np.empty((2, len(here))), np.empty(len(here))
    for side, which in enumerate((own, other)):
        for number in np.unique(which):
            mine = which == number
            distance, nearest = trees[number].query(points[mine])
            cost[side, mine] = distance**2 + lift[number]
            if side == 0:
                away = points[mine, :2] - centres[groups[number][nearest]]
                scale[mine] = (away**2).sum(axis=1) + 1e-12
    heavy = 1.0 / scale**2
    matrix = np.zeros((count, count))
    wanted = np.zeros(count)
    difference = heavy * (cost[1] - cost[0])
    np.add.at(matrix, (own, own), heavy)
    np.add.at(matrix, (other, other), heavy)
    np.add.at(matrix, (own, other), -heavy)
    np.add.at(matrix, (other, own), -heavy)
    np.add.at(wanted, own, difference)
    np.add.at(wanted, other, -difference)
    return np.asarray(np.linalg.lstsq(matrix, wanted, rcond=1e-12)[0])


def _cut(units: Units, band: Band, rounds: int, random: np.random.Generator) -> Dual:
    """Return the dual of these units, balanced: centres on a coarse map first."""
    count = len(band.low)
    nothing = Anchors(np.full((count, 2), np.nan), 0.0, np.zeros((count, 3)))
    cells = _CELLS * count
    coarse = coarsen(units, cells) if len(units.xy) > 1.5 * cells else units
    first = bisect(coarse.xy, coarse.weight, band.middle.mean(axis=1), random)
    dual = Dual(make_level(coarse, per_block=4), band, first)
    if count > 1:
        dual.anneal(HOT, steps=4)
        settle(dual, 0.25, steps=2)
        descend(dual, rounds, temperature=0.25, anchors=nothing)
    dual = Dual(make_level(units, per_block=16), band, dual.centres, dual.prices)
    if count > 1:
        settle(dual, 0.25, steps=3)
        descend(dual, 1, temperature=0.1, anchors=nothing)
        for temperature in _COLD:
            dual.solve(temperature, steps=4)
    return dual
