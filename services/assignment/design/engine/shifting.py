"""Borders moved so that what flows from territory to territory changes hands."""

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.flows import Flows
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.standing import Standing


def shifted(scaled: Scaled, plan: Standing, labels: Labels, flows: Flows) -> Labels:
    """Return labels (n,) after the flows: each giver parts with the units that are least dearer with the taker.

    The largest flow of a giver is served first; a unit goes over one border at most.
    """
    units, out = scaled.units, labels.copy()
    amount = units.measures[:, : len(scaled.hard)].mean(axis=1)
    for giver in np.unique(flows.givers):
        members: Integers = np.flatnonzero((labels == giver) & scaled.movable)
        left = np.ones(len(members), np.bool_)
        mine = np.flatnonzero(flows.givers == giver)
        for number in mine[np.argsort(-flows.amounts[mine], kind="stable")]:
            taker = int(flows.takers[number])
            able = np.flatnonzero(left & scaled.permitted[units.kinds[members], taker])
            # Lines across the way from middle to middle: along each, the taker is as much dearer.
            across = units.xy[members[able]] @ (plan.middles[giver] - plan.middles[taker])
            able = able[np.argsort(across, kind="stable")]
            gone = able[: _count(amount[members[able]], float(flows.amounts[number]))]
            left[gone] = False
            out[members[gone]] = taker
    return out


def _count(amounts: Floats, wanted: float) -> int:
    """Return how many of the first come nearest to what is wanted."""
    total: Floats = np.cumsum(amounts)
    count = int(np.searchsorted(total, wanted))
    if count < len(total) and total[count] - wanted < wanted - (total[count - 1] if count else 0.0):
        count += 1
    return count


def halved(scaled: Scaled, members: Integers, may: Flags) -> Integers:
    """Return those of the members (m,) that are at one end of their longer axis and may go, with half of the weight."""
    units = scaled.units
    xy, weight = units.xy[members], units.weight[members]
    away = xy - np.average(xy, axis=0, weights=weight)
    _, axes = np.linalg.eigh(away.T @ (away * weight[:, None]))
    order = np.argsort(away @ axes[:, 1], kind="stable")
    order = order[may[order]]
    held: Floats = np.cumsum(weight[order])
    count = int(np.searchsorted(held, held[-1] / 2)) if len(order) else 0
    return np.asarray(members[order[: min(max(count, 1), len(members) - 1)]], np.int64)
