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

# How many hosts are looked at closely: of those with most travel to save, and of those with most to give around them.
_CLOSELY, _GENEROUS = 6, 12
# Two halves of a round territory travel this share less than the whole.
_SAVED = 0.4
# Those around a host are enough when they have so many times to give what the new territory needs.
_PLENTY = 2.0


def with_hosts(
    scaled: Scaled, adjacency: Adjacency, labels: Labels, band: Band, *, choice: int = 0
) -> tuple[Labels, Integers]:
    """Return labels (n,) in which every territory has units, as far as there are enough, and the territories that changed.

    choice: how far down the list of hosts, the most promising first, the one of each new territory stands.
    """
    out, changed = labels.copy(), set[int]()
    for territory in newcomers(scaled, labels).tolist():
        hosts = _hosts(scaled, adjacency, out, band, territory, least=choice + 1)
        if not hosts:
            continue
        host = hosts[min(choice, len(hosts) - 1)]
        members: Integers = np.flatnonzero(out == host)
        given = _given(scaled, members, territory)
        out[given] = territory
        changed |= {host, territory}
    return out, np.array(sorted(changed), np.int64)


def newcomers(scaled: Scaled, labels: Labels) -> Integers:
    """Return the territories that have no unit."""
    return np.flatnonzero(np.bincount(labels[labels >= 0], minlength=scaled.territories) == 0)


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


def _hosts(
    scaled: Scaled, adjacency: Adjacency, labels: Labels, band: Band, territory: int, *, least: int
) -> list[int]:
    """Return hosts, the most promising first: one where the home is, else at least so many if there are, by what they cost."""
    able = _able(scaled, labels, territory)
    if not able.any():
        return []
    home = scaled.homes[territory]
    if not np.isnan(home).any():
        off = ((scaled.units.xy - home) ** 2).sum(axis=1)
        return [int(labels[np.argmin(np.where(able[labels], off, np.inf))])]
    plan = standing(scaled, adjacency, labels)
    travelling, generous = _promising(plan, band, able, territory)
    found = _by_cost(scaled, plan, band, travelling, territory)[:1]
    if least > 1:
        more = np.setdiff1d(np.union1d(travelling, generous), found)
        found += _by_cost(scaled, plan, band, more, territory)
    return found


def _by_cost(scaled: Scaled, plan: Standing, band: Band, hosts: Integers, territory: int) -> list[int]:
    return sorted(hosts.tolist(), key=lambda host: _cost(scaled, plan, band, host, territory))


def _able(scaled: Scaled, labels: Labels, territory: int) -> Flags:
    """Tell who has a unit to give and keeps one."""
    may = scaled.movable & scaled.permitted[scaled.units.kinds, territory]
    gives = np.bincount(labels[may], minlength=scaled.territories) > 0
    return np.asarray(gives & (np.bincount(labels, minlength=scaled.territories) > 1))


def _promising(plan: Standing, band: Band, able: Flags, territory: int) -> tuple[Integers, Integers]:
    """Return the hosts of most travel, as far as they and those around them have what the new territory needs, and those who
    have most of that: what has to come from far away may cost more than the territory saves.
    """  # noqa: D205 - one sentence
    columns = len(plan.loads[0])
    to_give = np.maximum(plan.loads - band.low, 0.0).sum(axis=1) / columns
    near = (plan.touching > 0).astype(np.float64)
    around = to_give + near @ to_give
    around = around + 0.5 * (near @ around - around)
    need = float(band.low[territory].mean())
    score = plan.amount * plan.scale * np.minimum(around / max(need, 1e-300), 1.0)
    count = int(able.sum())
    travelling, generous = (
        np.argsort(np.where(able, -rank, np.inf), kind="stable") for rank in (score, around)
    )
    return travelling[: min(_CLOSELY, count)], generous[: min(_GENEROUS, count)]


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
