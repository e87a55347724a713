"""What one rep more or one fewer would do to a plan that stands: balanced again, and the same where nothing has to change.

A change is told by labels: a territory without units is a rep more, units without a territory are those of a rep who left.
Targets are those of the new problem, for all: with one rep more everybody's is less. So a territory far away that used
the whole tolerance is out of it afterwards, and is mended, by its neighbours and by as little as will do. What was out of
its tolerance before is brought into it beside the change, if a neighbour can do so, and else stays as it is. All that no flow goes through is not touched.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.balancing import Balanced
from services.assignment.design.engine.bands import (
    as_far_as,
    as_wide_as,
    is_out,
    loads_known,
    out_before,
    strict,
)
from services.assignment.design.engine.changed import WhatIf, told
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.finishing import finished
from services.assignment.design.engine.flows import flows
from services.assignment.design.engine.hosts import newcomers, with_hosts
from services.assignment.design.engine.level import NOBODY
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem, WrongProblemError
from services.assignment.design.engine.proposal import Stage, StoppedError, Watcher, unseen, unwatched
from services.assignment.design.engine.realigning import middles
from services.assignment.design.engine.scaled import Scaled, scaled
from services.assignment.design.engine.shifting import shifted
from services.assignment.design.engine.standing import beside, standing
from services.assignment.design.engine.subset import part_of, taken_links

__all__ = ["WhatIf", "one_fewer", "one_more", "what_if"]

# Without a price of moves in the problem: as much as a mean unit travels.
_STAY = 1.0
# Passes of flows before each round of moves of units. Those after the first mend what whole units left.
_PASSES = (3, 1, 1, 1, 1, 1)
# Several hosts of a new territory are tried out, at most so many and as many as there are fewer units than so many: what a
# host costs is a guess before the borders around it have moved.
_MOST_TRIED, _UNITS_TRIED = 12, 200_000
# How far around what is still out of its band territories are cut anew.
_RINGS = 3


def one_more(
    problem: Problem,
    labels: Labels,
    target: Floats | None = None,
    *,
    home: Floats | None = None,
    touching: Adjacency | None = None,
    watch: Watcher = unwatched,
    thorough: bool = True,
) -> tuple[Problem, WhatIf]:
    """Return the problem with one territory more, the last one, and its plan.

    labels (n,): the plan that stands. target (A,): what the territory is to hold, in the unit of the problem's targets;
    None for as much as the others do on average. home (2,): where its rep lives, which is where it will be; None lets the
    engine choose. touching, thorough: as for `what_if`. Raises WrongProblemError.
    """
    count = problem.territories
    row = problem.targets.mean(axis=0) if target is None else target
    place = np.full(2, np.nan) if home is None else home
    homes = np.full((count, 2), np.nan) if problem.homes is None else problem.homes
    after = replace(
        problem,
        targets=np.vstack([problem.targets, row]),
        homes=None if problem.homes is None and home is None else np.vstack([homes, place]),
        permitted=None
        if problem.permitted is None
        else np.column_stack([problem.permitted, np.ones(len(problem.permitted), np.bool_)]),
        least_units=None if problem.least_units is None else np.append(problem.least_units, 0.0),
        most_units=None if problem.most_units is None else np.append(problem.most_units, _counted(problem)),
        incumbents=labels,
    )
    return after, what_if(after, labels, touching=touching, watch=watch, thorough=thorough)


def one_fewer(
    problem: Problem,
    labels: Labels,
    leaves: int,
    *,
    touching: Adjacency | None = None,
    watch: Watcher = unwatched,
    thorough: bool = True,
) -> tuple[Problem, WhatIf]:
    """Return the problem without the territory `leaves`, those behind it one place further up, and its plan.

    labels (n,): the plan that stands. Units that had to be in the territory may go anywhere. Raises WrongProblemError,
    for the last territory too.
    """
    if not 0 <= leaves < problem.territories:
        raise WrongProblemError("leaves", f"there is no territory {leaves}")

    def without(rows: Floats | None) -> Floats | None:
        return None if rows is None else np.delete(rows, leaves, axis=0)

    before = _renumbered(labels, leaves)
    after = replace(
        problem,
        targets=np.delete(problem.targets, leaves, axis=0),
        homes=without(problem.homes),
        permitted=None if problem.permitted is None else np.delete(problem.permitted, leaves, axis=1),
        fixed=None if problem.fixed is None else _renumbered(problem.fixed, leaves),
        least_units=without(problem.least_units),
        most_units=without(problem.most_units),
        incumbents=before,
    )
    return after, what_if(after, before, touching=touching, watch=watch, thorough=thorough)


def what_if(
    problem: Problem,
    labels: Labels,
    *,
    touching: Adjacency | None = None,
    watch: Watcher = unwatched,
    thorough: bool = True,
    seed: int = 0,
) -> WhatIf:
    """Return a plan that is balanced again and differs from the one that stands near the change.

    labels (n,): today's territories in the problem's numbers, -1 for a unit of none; a territory of no unit is new, and is
    put where it costs least, or where the rep's home is. touching: who touches whom where the problem asks for no
    contiguity; made if it is not given. thorough: where units are too large to be moved one by one, territories are cut
    anew, which takes seconds. Raises WrongProblemError for a problem that makes no sense, and for labels without
    any territory: that is a plan from scratch, which `propose` makes.
    """
    with threadpool_limits(1, user_api="blas"):
        ready = scaled(problem)
        _check(problem, labels)
        adjacency = problem.adjacency or touching or neighbours(ready.units.xy)
        known = _known(ready, labels)
        if (known < 0).all():
            raise WrongProblemError("labels", "no unit is where it may be: there is no plan to begin with")
        priced, stay = _priced(problem, ready, known)

        def tried(choice: int, watch: Watcher, *, thorough: bool) -> WhatIf:
            after = _changed(problem, priced, adjacency, known, stay, watch, seed, choice, thorough=thorough)
            return told(problem, ready, labels, after)

        most = _tries(ready, known)
        if most == 1:
            return tried(0, watch, thorough=thorough)
        place, found = 0, tried(0, watch, thorough=False)
        # Stopped between two places, the best one of before is told.
        with suppress(StoppedError):
            for choice in range(1, most):
                other = tried(choice, unseen(watch), thorough=False)
                if _is_better(other, found):
                    place, found = choice, other
                    watch(Stage.IMPROVE, 1.0, found.labels.copy())
            if thorough and found.off:
                other = tried(place, unseen(watch), thorough=True)
                found = other if _is_better(other, found) else found
                watch(Stage.IMPROVE, 1.0, found.labels.copy())
        return found


def _is_better(one: WhatIf, other: WhatIf) -> bool:
    return (len(one.off), one.mean_km) < (len(other.off), other.mean_km)


def _tries(ready: Scaled, known: Labels) -> int:
    """Return how many places of new territories are tried out: one where nobody is new, or lives somewhere."""
    new = newcomers(ready, known)
    if not np.isnan(ready.homes[new]).any():
        return 1
    holding = ready.territories - len(new)
    return max(min(_UNITS_TRIED // len(known), _MOST_TRIED, holding), 1)


def _check(problem: Problem, labels: Labels) -> None:
    if labels.shape != (problem.units,):
        raise WrongProblemError("labels", f"labels has shape {labels.shape} instead of {(problem.units,)}")
    if ((labels < -1) | (labels >= problem.territories)).any():
        raise WrongProblemError("labels", "labels has territories that there are not")


def _known(ready: Scaled, labels: Labels) -> Labels:
    """Return today's territories, NOBODY for units that are where they may not be, and where they have to be for others."""
    may = ready.permitted[ready.units.kinds, labels] & (labels >= 0)
    return np.where(ready.movable, np.where(may, labels, NOBODY), ready.fixed).astype(np.int32)


def _priced(problem: Problem, ready: Scaled, known: Labels) -> tuple[Scaled, float]:
    """Return the same with what leaving today's territory costs each unit, as when realigning (`realigning.priced`).

    And what it costs to take what the mean territory holds 1 of over a border, at the same price.
    """
    units = ready.units
    some = known >= 0
    away = units.xy[some] - middles(known, ready)[known[some]]
    travel = float(units.weight[some] @ np.einsum("ij,ij->i", away, away)) * (problem.stay or _STAY)
    bonus = np.where(some, travel / int(some.sum()) * ready.move_value / units.weight, 0.0)
    priced = replace(ready, units=units._replace(owner=known, bonus=bonus))
    return priced, travel / float(units.weight[some].sum())


def _changed(
    problem: Problem,
    ready: Scaled,
    adjacency: Adjacency,
    known: Labels,
    stay: float,
    watch: Watcher,
    seed: int,
    choice: int,
    *,
    thorough: bool,
) -> Labels:
    """Give everybody a territory and every territory its units, and balance what that puts out of balance."""
    if ready.territories == 1:
        return np.zeros(len(known), np.int32)
    out = out_before(ready, known)
    band = as_wide_as(ready.band, loads_known(ready, known), out)
    over = loads_known(ready, known) > ready.band.middle
    changed = np.zeros(ready.territories, np.bool_)
    labels, took = _taken_in(ready, adjacency, known)
    changed[took] = True
    labels, split = with_hosts(ready, adjacency, labels, band, choice=choice)
    changed[split] = True
    hard, may = ready.hard_columns(band.low.shape[1]), _may_give(ready)
    random = np.random.default_rng([seed, 2])
    for round_, passes in enumerate(_PASSES):
        now = changed.copy() if round_ == 0 else np.zeros_like(changed)
        # Middles follow what moves: in several passes borders end where they would from the new middles.
        for left in range(passes, 0, -1):
            plan = standing(ready, adjacency, labels)
            relieved = out.any(axis=1) & (changed | plan.touching[changed].any(axis=0))
            wanted = strict(ready.band, band, relieved)
            go = flows(plan, wanted, hard, may, stay, relieved)
            labels = shifted(ready, plan, labels, replace(go, amounts=go.amounts / left))
            now[go.givers] = now[go.takers] = True
        if not now.any():
            break
        members = np.flatnonzero(now)
        # Who was relieved does not take back what it gave, nor gives more than its band allows.
        kept = as_far_as(wanted, loads_known(ready, labels), relieved, over)
        labels = _finished(problem, ready, adjacency, labels, kept, members, random, watch, swaps=round_ > 0)
        watch(Stage.IMPROVE, 1.0, labels.copy())
    else:
        # Units too large for moves of one: territories are cut anew, those around as well.
        around = is_out(loads_known(ready, labels), kept, hard)
        if thorough and around.any():
            touching = standing(ready, adjacency, labels).touching > 0
            for _ in range(_RINGS):
                around |= touching[around].any(axis=0)
            members = np.flatnonzero(around)
            labels = _finished(problem, ready, adjacency, labels, kept, members, random, watch, thorough=True)
            watch(Stage.IMPROVE, 1.0, labels.copy())
    return labels


def _finished(
    problem: Problem,
    ready: Scaled,
    adjacency: Adjacency,
    labels: Labels,
    band: Band,
    region: Integers,
    random: np.random.Generator,
    watch: Watcher,
    *,
    thorough: bool = False,
    swaps: bool = True,
) -> Labels:
    """Have the territories of a region made whole, moved into the band and improved; all others are as they were."""
    members = np.flatnonzero(np.isin(labels, region))
    if not len(members):
        return labels
    part = part_of(ready, band, members, region)
    place = np.full(ready.territories, NOBODY, np.int32)
    place[region] = np.arange(len(region))
    mine = place[labels[members]]
    balanced = Balanced(mine, middles(mine, part), np.zeros_like(part.band.low))
    whole = problem.adjacency is not None
    links = taken_links(adjacency, members)
    plan = finished(part, balanced, links, random, unseen(watch), whole=whole, thorough=thorough, swaps=swaps)
    out = labels.copy()
    out[members] = region[plan.labels]
    return out


def _taken_in(ready: Scaled, adjacency: Adjacency, known: Labels) -> tuple[Labels, Integers]:
    """Give units of no territory to the nearest that touches some of them and may hold them; say who got any."""
    lost = known < 0
    if not lost.any():
        return known.copy(), np.empty(0, np.int64)
    labels, where = known.copy(), middles(known, ready)
    holds = np.bincount(known[~lost], minlength=ready.territories) > 0
    close = np.isin(np.arange(ready.territories), beside(adjacency, lost, known))
    for kind in np.unique(ready.units.kinds[lost]):
        mine = np.flatnonzero(lost & (ready.units.kinds == kind))
        may = ready.permitted[kind]
        near = next(np.flatnonzero(some) for some in (may & close & holds, may & holds, may) if some.any())
        labels[mine] = near[cKDTree(where[near]).query(ready.units.xy[mine])[1]]
    return labels, np.unique(labels[lost]).astype(np.int64)


def _may_give(ready: Scaled) -> Flags:
    """Tell who may give to whom, shape (K, K): those that may hold some kind that the other may, too."""
    may = ready.permitted.astype(np.int64)
    return np.asarray((may.T @ may) > 0)


def _counted(problem: Problem) -> float:
    return float(problem.units if problem.counts is None else problem.counts.sum())


def _renumbered(labels: Labels, leaves: int) -> Labels:
    return np.where(labels == leaves, -1, labels - (labels > leaves)).astype(np.int32)
