"""The best plan of all, where units are few or few to a territory: a choice among all territories that there could be.

Every set of units that hangs together and is within its band is a candidate with its exact cost; a choice in which each
unit is in one of them is a plan. That is a set partitioning (Garfinkel and Nemhauser, Optimal political districting by
implicit enumeration techniques, Management Science 16(8), 1970), solved by HiGHS.
"""

import numpy as np
from scipy.sparse import csc_matrix, vstack

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.choice import Known, cheapest_choice
from services.assignment.design.engine.naming import alike
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.subsets import Subsets, all_touch, subsets

# So many units are few: all plans are looked through first of all.
FEW = 24
_MOST_SETS = 1_000_000
_MOST_CHOICES = 200_000
_MOST_UNITS = 500
_INSIDE = 1e-9
# What a share of a soft measure out of its band counts, in travel of a mean territory.
_SOFT_PRICE = 2.5


def exactly(
    scaled: Scaled, adjacency: Adjacency, *, whole: bool, budget: float = np.inf, apart: bool = False
) -> Labels | Known:
    """Return the labels, shape (n,), of the best plan within all hard limits, bonuses of units included.

    budget: how much of move_value may leave its owner. apart: no two territories are alike, as units have owners.
    """
    n = len(scaled.movable)
    if not scaled.territories <= n <= _MOST_UNITS:
        return Known.UNKNOWN
    few = n <= FEW
    touching = all_touch(n) if few and not whole else adjacency
    hard = scaled.hard_columns(scaled.band.low.shape[1])
    low, high = scaled.band.low[:, hard] + _INSIDE, scaled.band.high[:, hard] - _INSIDE
    measures = np.ascontiguousarray(scaled.units.measures[:, hard])
    found = subsets(touching, measures, low.min(axis=0), high.max(axis=0), _MOST_SETS)
    if not found.complete:
        return Known.UNKNOWN
    # Sets that hang together are all there is where territories have to, and nothing is held where it is.
    impossible = (
        Known.IMPOSSIBLE if touching is not adjacency or (whole and scaled.movable.all()) else Known.UNKNOWN
    )
    groups = [np.array([j]) for j in range(scaled.territories)] if apart else alike(scaled)
    fits = _Fits(found, scaled, measures, low, high)
    choices = [fits.of(int(group[0])) for group in groups]
    if sum(len(one) for one in choices) > _MOST_CHOICES:
        return Known.UNKNOWN
    if any(len(one) < len(group) for one, group in zip(choices, groups, strict=True)):
        return impossible
    costs = Costs(found, scaled)
    return _chosen(found, choices, groups, costs, scaled, budget, impossible)


class _Fits:
    """Which sets may be which territory."""

    def __init__(self, found: Subsets, scaled: Scaled, measures: Floats, low: Floats, high: Floats) -> None:
        self._found, self._scaled, self._low, self._high = found, scaled, low, high
        self._loads = found.sums(measures)

    def of(self, territory: int) -> Integers:
        """Return the sets that may be a territory."""
        scaled = self._scaled
        barred = ~scaled.permitted[scaled.units.kinds, territory] | (
            ~scaled.movable & (scaled.fixed != territory)
        )
        missing = ~scaled.movable & (scaled.fixed == territory)
        fits = ((self._loads >= self._low[territory]) & (self._loads <= self._high[territory])).all(axis=1)
        fits &= self._found.sums(barred.astype(np.int64)) == 0
        fits &= self._found.sums(missing.astype(np.int64)) == missing.sum()
        return np.flatnonzero(fits)


class Costs:
    """What sets cost as territories: travel, leaving owners, and soft measures out of their bands."""

    def __init__(self, found: Subsets, scaled: Scaled) -> None:
        self._found, self._scaled = found, scaled
        units = scaled.units
        middle = np.average(units.xy, axis=0, weights=units.weight)
        away = units.xy - middle
        self._weight = found.sums(units.weight)
        self._mean = found.sums(away * units.weight[:, None]) / self._weight[:, None] + middle
        square = found.sums(units.weight * (away**2).sum(axis=1))
        self._travel = square - self._weight * ((self._mean - middle) ** 2).sum(axis=1)
        self._scale = float(self._travel.mean()) if len(self._travel) else 0.0

    def of(self, territory: int, sets: Integers) -> Floats:
        """Return what these sets cost as that territory."""
        scaled, found = self._scaled, self._found
        units, home = scaled.units, scaled.homes[territory]
        cost = self._travel[sets]
        if scaled.pull > 0.0 and not np.isnan(home[0]):
            cost = cost + scaled.pull**2 * self._weight[sets] * ((self._mean[sets] - home) ** 2).sum(axis=1)
        if units.bonus.any():
            own = np.where(units.owner == territory, units.weight * units.bonus, 0.0)
            cost = cost - found.sums(own)[sets]
        soft = ~scaled.hard_columns(scaled.band.low.shape[1])
        if soft.any():
            loads = found.sums(units.measures[:, soft])[sets]
            out = np.maximum(
                loads - scaled.band.high[territory, soft], scaled.band.low[territory, soft] - loads
            )
            cost = cost + _SOFT_PRICE * self._scale * np.maximum(out, 0.0).sum(axis=1)
        return np.asarray(cost, np.float64)


def _chosen(
    found: Subsets,
    choices: list[Integers],
    groups: list[Integers],
    costs: Costs,
    scaled: Scaled,
    budget: float,
    impossible: Known,
) -> Labels | Known:
    """Choose as many sets for each group of territories as there are of these, so that each unit is in one."""
    sets = np.concatenate(choices)
    group = np.repeat(np.arange(len(groups)), [len(one) for one in choices])
    cost = np.concatenate([costs.of(int(of[0]), one) for of, one in zip(groups, choices, strict=True)])
    size = found.starts[sets + 1] - found.starts[sets]
    units = np.concatenate([found.units[found.starts[s] : found.starts[s + 1]] for s in sets.tolist()])
    ends = np.concatenate([[0], np.cumsum(size)])
    holds = csc_matrix((np.ones(len(units)), units, ends), shape=(len(scaled.movable), len(sets)))
    counts = csc_matrix((np.ones(len(sets)), (group, np.arange(len(sets)))), shape=(len(groups), len(sets)))
    wanted = np.concatenate([np.ones(len(scaled.movable)), [len(one) for one in groups]])
    rows, least, most = vstack([holds, counts], format="csc"), wanted, wanted
    if budget < np.inf:
        rows = vstack([rows, csc_matrix(_moved(holds, groups, group, scaled))], format="csc")
        least, most = np.append(wanted, -np.inf), np.append(wanted, budget)
    taken = cheapest_choice(cost / max(float(np.abs(cost).max()), 1e-300), rows, least, most)
    if isinstance(taken, Known):
        return impossible if taken is Known.IMPOSSIBLE else taken
    labels = np.full(len(scaled.movable), -1, np.int32)
    for number, of in enumerate(groups):
        for territory, column in zip(of, taken[group[taken] == number], strict=True):
            labels[units[ends[column] : ends[column + 1]]] = territory
    return labels


def _moved(holds: csc_matrix, groups: list[Integers], group: Integers, scaled: Scaled) -> Floats:
    """Return what of move_value leaves its owner with each choice, as one row."""
    owner, value = scaled.units.owner, scaled.move_value
    leaves = np.array([value * ((owner >= 0) & (owner != of[0])) for of in groups])
    return np.asarray((leaves @ holds)[group, np.arange(holds.shape[1])])[None, :]
