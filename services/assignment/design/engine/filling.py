"""Territories that were left without a unit get a share of the fullest one."""

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.problem import loads_of
from services.assignment.design.engine.scaled import Scaled


def filled(labels: Labels, scaled: Scaled) -> Labels:
    """Return new labels (n,) in which no territory is empty, as far as there are units that may move there.

    The fullest territory gives from one end of its longer axis what the empty one should hold, half of its own at most.
    """
    territories = scaled.territories
    empty = np.flatnonzero(np.bincount(labels, minlength=territories) == 0)
    out = labels.copy()
    if not len(empty):
        return out
    target = scaled.target.mean(axis=1)
    load = loads_of(out, scaled.units.measures, territories).mean(axis=1)
    for territory in empty:
        for giver in np.argsort(-load / target, kind="stable"):
            units = np.flatnonzero(out == giver)
            may = scaled.movable[units] & scaled.permitted[scaled.units.kinds[units], territory]
            if len(units) > 1 and may.any():
                given = _end_of(units[may], min(target[territory], load[giver] / 2), len(units) - 1, scaled)
                out[given] = territory
                amount = scaled.units.measures[given].sum(axis=0).mean()
                load[giver] -= amount
                load[territory] += amount
                break
    return out


def _end_of(units: Labels, amount: float, most: int, scaled: Scaled) -> Labels:
    """Return units from one end of the longer axis that hold about the amount, one at least."""
    xy, weight = scaled.units.xy[units], scaled.units.weight[units]
    away = xy - np.average(xy, axis=0, weights=weight)
    _, axes = np.linalg.eigh(away.T @ (away * weight[:, None]))
    order = np.argsort(away @ axes[:, 1], kind="stable")
    held: Floats = np.cumsum(scaled.units.measures[units[order]].mean(axis=1))
    count = int(np.searchsorted(held, amount * (1 + 1e-9), side="right"))
    return units[order[: min(max(count, 1), most)]]
