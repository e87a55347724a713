"""Units at one resolution, in the order of a curve and in blocks of neighbours.

Blocks make the dual cheap: where one territory is sure to win every unit of a block, the block's sums stand for its
units. Most blocks are inside of a territory, so a step costs as much as the borders are long.
"""

from typing import NamedTuple

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.compiling import compiled
from services.assignment.design.engine.curve import along_the_curve

NOBODY = -1
MIXED = -2


class Units(NamedTuple):
    """n units with A measures, scaled: xy (n, 2) in km; weight (n,), what a squared km costs, above zero; measures
    (n, A), of which the mean territory has 1; kinds (n,), which territories may hold it; owner (n,), today's territory or
    NOBODY; bonus (n,), in squared km: how much dearer all but the owner are.
    """  # noqa: D205, D400 - one sentence

    xy: Floats
    weight: Floats
    measures: Floats
    kinds: Labels
    owner: Labels
    bonus: Floats

    def taken(self, which: Integers) -> "Units":
        """Return the units of these numbers, in this order."""
        return Units(*(np.ascontiguousarray(column[which]) for column in self))


class Level(NamedTuple):
    """Units in B blocks, each of one kind.

    starts (B + 1,), block_weight (B,), middle (B, 2) the weighted mean, radius (B,) in km, inertia (B,) the weighted
    squared distance to the middle, block_measures (B, A), spread (B, A), how far a unit's measure per weight is from its
    block's, block_kind (B,), block_owner (B,): the one of all its units, NOBODY or MIXED, most_bonus (B,) and
    bonus_weight (B,), the sum of weight times bonus.
    """

    units: Units
    starts: Integers
    block_weight: Floats
    middle: Floats
    radius: Floats
    inertia: Floats
    block_measures: Floats
    spread: Floats
    block_kind: Labels
    block_owner: Labels
    most_bonus: Floats
    bonus_weight: Floats


def curve_order(units: Units) -> Integers:
    """Return the units' numbers in the order that blocks are made of: by kind, along the curve."""
    order = along_the_curve(units.xy)
    return order[np.argsort(units.kinds[order], kind="stable")]


def make_level(units: Units, *, per_block: int) -> Level:
    """Put units, which are in `curve_order`, into blocks."""
    n = len(units.xy)
    first_of_kind = np.flatnonzero(np.diff(units.kinds, prepend=-1))
    ends = np.append(first_of_kind[1:], n)
    heads = np.concatenate([np.arange(a, b, per_block) for a, b in zip(first_of_kind, ends, strict=True)])
    starts = np.append(heads, n).astype(np.int64)
    weight, measures = units.weight, units.measures
    block_weight = np.add.reduceat(weight, heads)
    middle = np.add.reduceat(units.xy * weight[:, None], heads, axis=0) / block_weight[:, None]
    block_measures = np.add.reduceat(measures, heads, axis=0)
    ratio = block_measures / block_weight[:, None]
    radius, inertia, spread = _extents(units.xy, weight, measures, starts, middle, ratio)
    same = np.minimum.reduceat(units.owner, heads) == np.maximum.reduceat(units.owner, heads)
    return Level(
        units,
        starts,
        block_weight,
        middle,
        radius,
        inertia,
        block_measures,
        spread,
        units.kinds[heads].astype(np.int32),
        np.where(same, units.owner[heads], MIXED).astype(np.int32),
        np.maximum.reduceat(units.bonus, heads),
        np.add.reduceat(weight * units.bonus, heads),
    )


def coarsen(units: Units, cells: int) -> Units:
    """Merge neighbours on the curve into about so many cells, each of one kind, without owners.

    Half by weight and half by count, so that dense places keep resolution and empty ones do too.
    """
    n = len(units.xy)
    place = np.cumsum(units.weight)
    place = 0.5 * place / place[-1] + 0.5 * np.arange(1, n + 1) / n
    cell = np.minimum((place * cells).astype(np.int64), cells - 1)
    heads = np.flatnonzero((np.diff(cell, prepend=-1) != 0) | (np.diff(units.kinds, prepend=-1) != 0))
    weight = np.add.reduceat(units.weight, heads)
    xy = np.add.reduceat(units.xy * units.weight[:, None], heads, axis=0) / weight[:, None]
    measures = np.add.reduceat(units.measures, heads, axis=0)
    nobody = np.full(len(heads), NOBODY, np.int32)
    return Units(xy, weight, measures, units.kinds[heads], nobody, np.zeros(len(heads)))


@compiled
def _extents(
    xy: Floats, weight: Floats, measures: Floats, starts: Integers, middle: Floats, ratio: Floats
) -> tuple[Floats, Floats, Floats]:
    blocks, kinds = ratio.shape
    radius, inertia, spread = np.zeros(blocks), np.zeros(blocks), np.zeros((blocks, kinds))
    for b in range(blocks):
        for i in range(starts[b], starts[b + 1]):
            square = (xy[i, 0] - middle[b, 0]) ** 2 + (xy[i, 1] - middle[b, 1]) ** 2
            radius[b] = max(radius[b], square)
            inertia[b] += weight[i] * square
            for a in range(kinds):
                spread[b, a] = max(spread[b, a], abs(measures[i, a] / weight[i] - ratio[b, a]))
        radius[b] = np.sqrt(radius[b])
    return radius, inertia, spread
