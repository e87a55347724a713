"""Units at one resolution, in the order of a curve and in blocks of neighbours.

Blocks make the dual cheap: where one territory is sure to win every unit of a block, the block's sums stand for its
units. Most blocks are inside of a territory, so a step costs as much as the borders are long.
"""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.arrays import Floats, Integers
from services.assignment.design.engine.compiling import compiled


@dataclass(frozen=True, slots=True)
class Level:
    """Units and their blocks. n units, A measures, B blocks.

    xy (n, 2) in km; weight (n,), what a squared km costs, above zero; measures (n, A), scaled so that the mean
    territory has 1. Blocks: starts (B + 1,), block_weight (B,), middle (B, 2) the weighted mean, radius (B,) in km,
    inertia (B,) the weighted squared distance to the middle, block_measures (B, A), and spread (B, A), how far a unit's
    measure per weight is from its block's.
    """

    xy: Floats
    weight: Floats
    measures: Floats
    starts: Integers
    block_weight: Floats
    middle: Floats
    radius: Floats
    inertia: Floats
    block_measures: Floats
    spread: Floats

    @property
    def units(self) -> int:
        """How many units."""
        return len(self.xy)


def make_level(xy: Floats, weight: Floats, measures: Floats, *, per_block: int) -> Level:
    """Put units, which are in the order of a curve, into blocks."""
    n = len(xy)
    starts = np.append(np.arange(0, n, per_block), n).astype(np.int64)
    heads = starts[:-1]
    block_weight = np.add.reduceat(weight, heads)
    middle = np.add.reduceat(xy * weight[:, None], heads, axis=0) / block_weight[:, None]
    block_measures = np.add.reduceat(measures, heads, axis=0)
    radius, inertia, spread = _extents(xy, weight, measures, starts, middle, block_measures / block_weight[:, None])
    return Level(
        np.ascontiguousarray(xy),
        np.ascontiguousarray(weight),
        np.ascontiguousarray(measures),
        starts,
        block_weight,
        middle,
        radius,
        inertia,
        block_measures,
        spread,
    )


def coarsen(level: Level, cells: int, *, per_block: int) -> tuple[Level, Integers]:
    """Merge neighbours on the curve into about so many cells; return their level, and each unit's cell, shape (n,).

    Half by weight and half by count, so that dense places keep resolution and empty ones do too.
    """
    n = level.units
    place = np.cumsum(level.weight)
    place = 0.5 * place / place[-1] + 0.5 * np.arange(1, n + 1) / n
    cell = np.minimum((place * cells).astype(np.int64), cells - 1)
    heads = np.flatnonzero(np.diff(cell, prepend=-1))
    weight = np.add.reduceat(level.weight, heads)
    xy = np.add.reduceat(level.xy * level.weight[:, None], heads, axis=0) / weight[:, None]
    measures = np.add.reduceat(level.measures, heads, axis=0)
    member = np.zeros(n, np.int64)
    member[heads] = 1
    return make_level(xy, weight, measures, per_block=per_block), np.cumsum(member) - 1


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
