"""Asks the engine what one full-time rep more or fewer would do to a plan: runs in the engine's own process, after a proposal."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.problem import Problem, WrongProblemError, loads_of
from services.assignment.design.engine.proposal import Stage, StoppedError
from services.assignment.design.engine.what_if import WhatIf, one_fewer, one_more
from services.assignment.design.in_time import in_time
from services.assignment.design.lengths import lengths_km, middles, pulled
from services.assignment.design.sensitivity import RepChange, Sensitivity
from shared.runtime.logging import get_logger

# Of how many territories it is tried out what their loss would cost.
_TRIED = 3
# How far from one full-time rep a capacity may be that counts as one, in full-time reps.
_ABOUT = 0.1
# Capacities that differ by less are one.
_ALIKE = 1e-9

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is told of: n accounts, at latitude and longitude in degrees and xy (n, 2) in km in a plane.

    of (n,): the unit that each is kept together in, where units stand for several accounts; None where each is one.
    road (n,): by what the way to each is longer than the crow's; None for as long.
    """

    latitude: Floats
    longitude: Floats
    xy: Floats
    plane: Plane
    of: Labels | None = None
    road: Floats | None = None

    def labels(self, units: Labels) -> Labels:
        """Return the labels of accounts, shape (n,), from those of units."""
        return units if self.of is None else units[self.of]

    def middles(self, labels: Labels, homes: Floats, pull: float) -> tuple[Floats, Floats]:
        """Return where ways begin in each territory, shape (K,) each, as a proposal has it; homes (K, 2), nan for none."""
        return middles(self.xy, labels, len(homes), self.plane, homes, pull, self.road)

    def mean_km(self, labels: Labels, where: tuple[Floats, Floats]) -> float:
        """Return the mean length from accounts to where ways begin in their territory."""
        return float(lengths_km(self.latitude, self.longitude, labels, where, self.road).mean())

    def ways(self, units: int) -> Floats:
        """Return how many crow's ways the way to each unit comes to, shape (units,): those of all accounts that it stands for."""
        road = np.ones(len(self.xy)) if self.road is None else self.road
        return road if self.of is None else np.asarray(np.bincount(self.of, road, units), np.float64)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan that stands, and what is asked of it; capacities (K,) in full-time reps."""

    problem: Problem
    labels: Labels
    capacities: Floats
    accounts: Accounts
    touching: Adjacency
    until: float

    def watch(self, _stage: Stage, _share: float, _labels: Labels | None) -> None:
        """Raise StoppedError when the time is up."""
        if time.monotonic() >= self.until:
            raise StoppedError


def sensitivity(
    problem: Problem,
    labels: Labels,
    capacities: Floats,
    accounts: Accounts,
    touching: Adjacency,
    *,
    until: float,
) -> Sensitivity | None:
    """Return what one rep more and one fewer would do; None when the time is up before anything is known.

    labels: of the problem's units. touching: who of these touches whom. until: by the monotonic clock.
    """
    plan = _Plan(problem, labels, capacities, accounts, touching, until)
    more, fewer = _tried(_more, plan), _tried(_fewer, plan)
    return None if more is None and fewer is None else Sensitivity(more, fewer)


def _tried(ask: Callable[[_Plan], RepChange | None], plan: _Plan) -> RepChange | None:
    """Ask, if there is time. What cannot be answered is not known: the proposal that it is about stands, whatever happens."""
    if time.monotonic() >= plan.until:
        return None
    try:
        return in_time(lambda: ask(plan), until=plan.until)
    except (StoppedError, WrongProblemError):
        return None
    except Exception:
        log.exception("sensitivity not found")
        return None


def _more(plan: _Plan) -> RepChange | None:
    """Tell of a rep more; None where no accounts go to that one: each is with others that it is kept together with."""
    target = plan.problem.targets.sum(axis=0) / plan.capacities.sum()
    _, found = one_more(
        plan.problem, plan.labels, target, touching=plan.touching, watch=plan.watch, thorough=False
    )
    new = plan.problem.territories
    touched = tuple(one for one in found.touched if one < new)
    if not (found.labels == new).any():
        return None
    return _change(plan, found, found.labels, None, touched, 1.0)


def _fewer(plan: _Plan) -> RepChange | None:
    answers: list[RepChange] = []
    for leaves in _cheapest(plan)[:_TRIED].tolist():
        # One that is known is not given up for another that there is no room, or no time, for.
        with suppress(WrongProblemError, *((StoppedError,) if answers else ())):
            answers.append(_without(plan, leaves))
    return min(
        answers,
        key=lambda one: (not one.within_tolerance, (one.mean_km_after - one.mean_km_before) / one.capacity),
        default=None,
    )


def _without(plan: _Plan, leaves: int) -> RepChange:
    plan.watch(Stage.PREPARE, 0.0, None)
    _, found = one_fewer(
        plan.problem, plan.labels, leaves, touching=plan.touching, watch=plan.watch, thorough=False
    )
    touched = tuple(sorted({leaves, *(one + (one >= leaves) for one in found.touched)}))
    # Territories have the numbers that they had.
    after = found.labels + (found.labels >= leaves)
    return _change(plan, found, after, leaves, touched, float(plan.capacities[leaves]))


def _cheapest(plan: _Plan) -> Integers:
    """Return whose loss may be that of one full-time rep, by how much travel grows per rep, least first; none if there is one.

    It grows by what lies between the nearest middle and the next nearest. Who has no accounts leaves without a trace.
    """
    problem, labels = plan.problem, plan.labels
    held = np.flatnonzero(np.bincount(labels, minlength=problem.territories))
    if len(held) == 1:
        return np.empty(0, np.int64)
    mine, where = np.searchsorted(held, labels), _middles(problem, labels)[held]
    distance, near = cKDTree(where).query(problem.xy, k=2)
    other = np.where(near[:, 0] == mine, distance[:, 1], distance[:, 0])
    own = np.hypot(*(problem.xy - where[mine]).T)
    capacities = plan.capacities[held]
    ways = plan.accounts.ways(problem.units)
    grows = np.bincount(mine, ways * (other - own), len(held)) / capacities
    off = np.abs(capacities - 1.0)
    alike = np.flatnonzero(off <= max(float(off.min()), _ABOUT) + _ALIKE)
    return np.asarray(held[alike[np.argsort(grows[alike], kind="stable")]], np.int64)


def _change(
    plan: _Plan,
    found: WhatIf,
    after: Labels,
    leaves: int | None,
    touched: tuple[int, ...],
    capacity: float,
) -> RepChange:
    """Tell of accounts what a change comes to: after, labels of units under the numbers of before; capacity of who comes or goes."""
    problem, accounts = plan.problem, plan.accounts
    # One row more: nobody knows where a rep lives who is not there yet.
    homes = np.full((problem.territories + 1, 2), np.nan)
    if problem.homes is not None:
        homes[:-1] = problem.homes
    labels, others = accounts.labels(plan.labels), accounts.labels(after)
    was, will_be = (accounts.middles(those, homes, problem.pull) for those in (labels, others))
    latitude, longitude = will_be if leaves is None else was
    place = problem.territories if leaves is None else leaves
    reps = float(plan.capacities.sum()) + (capacity if leaves is None else -capacity)
    totals = problem.measures.sum(axis=0)
    loads = loads_of(plan.labels, problem.measures, problem.territories)
    off = np.abs(loads / (problem.targets / problem.targets.sum(axis=0) * totals) - 1).max(axis=0)
    return RepChange(
        leaves=leaves,
        capacity=capacity,
        touched=touched,
        latitude=float(latitude[place]),
        longitude=float(longitude[place]),
        moved=int((labels != others).sum()),
        mean_km_before=accounts.mean_km(labels, was),
        mean_km_after=accounts.mean_km(others, will_be),
        deviation_before=tuple(off.tolist()),
        deviation_after=tuple(found.deviation.tolist()),
        load_per_rep_before=tuple((totals / plan.capacities.sum()).tolist()),
        load_per_rep_after=tuple((totals / reps).tolist()),
        within_tolerance=not found.off,
    )


def _middles(problem: Problem, labels: Labels) -> Floats:
    weight = np.maximum(np.bincount(labels, problem.weight, problem.territories), 1e-300)
    sums = [np.bincount(labels, problem.weight * problem.xy[:, d], problem.territories) for d in (0, 1)]
    return pulled(np.column_stack(sums) / weight[:, None], problem.homes, problem.pull)
