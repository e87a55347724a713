"""Where a new territory begins: in that of another, which it halves, where it saves most travel for what has to move to it."""

from dataclasses import replace

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.flows import flows
from services.assignment.design.engine.scaled import Scaled
from services.assignment.design.engine.shifting import halved
from services.assignment.design.engine.standing import Standing, standing

# How many of the most promising hosts are looked at closely.
_CLOSELY = 6
# Two halves of a round territory travel this share less than the whole.
_SAVED = 0.4
# Those around a host are enough when they have so many times to give what the new territory needs.
_PLENTY = 2.0


def with_hosts(scaled: Scaled, adjacency: Adjacency, labels: Labels, band: Band) -> tuple[Labels, Integers]:
    """Return labels (n,) in which every territory has units, as far as there are enough, and the territories that changed."""
    out, changed = labels.copy(), set[int]()
    for territory in np.flatnonzero(np.bincount(labels, minlength=scaled.territories) == 0).tolist():
        host = _host(scaled, adjacency, out, band, territory)
        if host is None:
            continue
        members: Integers = np.flatnonzero(out == host)
        given = _given(scaled, members, territory)
        out[given] = territory
        changed |= {host, territory}
    return out, np.array(sorted(changed), np.int64)


def _given(scaled: Scaled, members: Integers, territory: int) -> Integers:
    """Return what a host gives: the half that is nearer to where the new rep lives, or at one end of its longer axis."""
    may = scaled.movable[members] & scaled.permitted[scaled.units.kinds[members], territory]
    home = scaled.homes[territory]
    if np.isnan(home).any():
        return halved(scaled, members, may)
    order = members[may][np.argsort(((scaled.units.xy[members[may]] - home) ** 2).sum(axis=1), kind="stable")]
    held: Floats = np.cumsum(scaled.units.weight[order])
    count = int(np.searchsorted(held, held[-1] / 2))
    return np.asarray(order[: min(max(count, 1), len(members) - 1)], np.int64)


def _host(scaled: Scaled, adjacency: Adjacency, labels: Labels, band: Band, territory: int) -> int | None:
    able = _able(scaled, labels, territory)
    if not able.any():
        return None
    home = scaled.homes[territory]
    if not np.isnan(home).any():
        off = ((scaled.units.xy - home) ** 2).sum(axis=1)
        return int(labels[np.argmin(np.where(able[labels], off, np.inf))])
    plan = standing(scaled, adjacency, labels)
    closely = _promising(plan, band, able, territory)
    costs = [_cost(scaled, plan, band, int(host), territory) for host in closely]
    return int(closely[int(np.argmin(costs))])


def _able(scaled: Scaled, labels: Labels, territory: int) -> Flags:
    """Tell who has a unit to give and keeps one."""
    may = scaled.movable & scaled.permitted[scaled.units.kinds, territory]
    gives = np.bincount(labels[may], minlength=scaled.territories) > 0
    return np.asarray(gives & (np.bincount(labels, minlength=scaled.territories) > 1))


def _promising(plan: Standing, band: Band, able: Flags, territory: int) -> Integers:
    """Return the hosts of most travel, as far as they and those around them have what the new territory needs."""
    columns = len(plan.loads[0])
    to_give = np.maximum(plan.loads - band.low, 0.0).sum(axis=1) / columns
    near = (plan.touching > 0).astype(np.float64)
    around = to_give + near @ to_give
    around = around + 0.5 * (near @ around - around)
    need = float(band.low[territory].mean())
    score = plan.amount * plan.scale * np.minimum(around / max(need, 1e-300), 1.0)
    order = np.argsort(np.where(able, -score, np.inf), kind="stable")
    return np.asarray(order[: min(_CLOSELY, int(able.sum()))], np.int64)


def _cost(scaled: Scaled, plan: Standing, band: Band, host: int, territory: int) -> float:
    """Return what it costs to fill a territory that halves the host's, less the travel that halving saves."""
    near = np.append(_near(plan, band, host, float(band.low[territory].mean())), territory)
    part = _halved(plan, host, territory)
    part = Standing(
        part.loads[near],
        part.amount[near],
        part.middles[near],
        part.scale[near],
        part.touching[np.ix_(near, near)],
        part.dearer[np.ix_(near, near)],
    )
    may = np.ones((len(near), len(near)), np.bool_)
    bound = Band(band.low[near], band.high[near], band.give)
    go = flows(part, bound, scaled.hard_columns(plan.loads.shape[1]), may, 0.0)
    return go.cost - _SAVED * float(plan.amount[host] * plan.scale[host])


def _near(plan: Standing, band: Band, host: int, need: float) -> Integers:
    """Return the host and those around it, ring by ring, until they have so much to give that all need not be looked at."""
    to_give = np.maximum(plan.loads - band.low, 0.0).mean(axis=1)
    near = np.zeros(len(to_give), np.bool_)
    near[host] = True
    while to_give[near].sum() < _PLENTY * need:
        wider = near | (plan.touching[near] > 0).any(axis=0)
        if wider.sum() == near.sum():
            break
        near = wider
    return np.flatnonzero(near)


def _halved(plan: Standing, host: int, territory: int) -> Standing:
    """Return the plan with half of the host's in the new territory, each half beside the other."""
    loads, amount, scale = plan.loads.copy(), plan.amount.copy(), plan.scale.copy()
    middles, touching, dearer = plan.middles.copy(), plan.touching.copy(), plan.dearer.copy()
    for array in (loads, amount):
        array[territory] = array[host] = array[host] / 2
    for matrix in (touching, dearer):
        matrix[territory], matrix[:, territory] = matrix[host], matrix[:, host]
    touching[host, territory] = touching[territory, host] = 1
    scale[territory] = scale[host] = scale[host] * (1 - _SAVED)
    aside = np.array([np.sqrt(plan.scale[host]) / 2, 0.0])
    middles[territory], middles[host] = plan.middles[host] + aside, plan.middles[host] - aside
    return replace(
        plan, loads=loads, amount=amount, touching=touching, middles=middles, scale=scale, dearer=dearer
    )
