"""Asks the engine what one full-time rep more or fewer would do to a plan: runs in the engine's own process, after a proposal."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.problem import Problem, WrongProblemError, loads_of
from services.assignment.design.engine.proposal import Stage, StoppedError
from services.assignment.design.engine.what_if import WhatIf, one_fewer, one_more
from services.assignment.design.lengths import lengths_km, middles
from services.assignment.design.sensitivity import RepChange, Sensitivity

# Of how many territories it is tried out what their loss would cost.
_TRIED = 3


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is told of: n accounts, at latitude and longitude in degrees and xy (n, 2) in km in a plane.

    of (n,): the unit that each is kept together in, where units stand for several accounts; None where each is one.
    """

    latitude: Floats
    longitude: Floats
    xy: Floats
    plane: Plane
    of: Labels | None = None

    def labels(self, units: Labels) -> Labels:
        """Return the labels of accounts, shape (n,), from those of units."""
        return units if self.of is None else units[self.of]

    def mean_km(self, labels: Labels, territories: int) -> float:
        """Return the mean length from accounts to the middle of their territory."""
        where = middles(self.xy, labels, territories, self.plane)
        return float(lengths_km(self.latitude, self.longitude, labels, where).mean())


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
    """Ask, if there is time. What cannot be answered is not known: the proposal that it is about stands."""
    if time.monotonic() >= plan.until:
        return None
    try:
        return ask(plan)
    except (StoppedError, WrongProblemError, ArithmeticError, np.linalg.LinAlgError):
        return None


def _more(plan: _Plan) -> RepChange | None:
    """Tell of a rep more; None where no accounts go to that one: each is with others that it is kept together with."""
    target = plan.problem.targets.sum(axis=0) / plan.capacities.sum()
    _, found = one_more(
        plan.problem, plan.labels, target, touching=plan.touching, watch=plan.watch, thorough=False
    )
    new = plan.problem.territories
    touched = tuple(one for one in found.touched if one < new)
    where = plan.accounts.labels(found.labels) == new
    if not where.any():
        return None
    return _change(plan, found, found.labels, None, touched, where, float(plan.capacities.sum()) + 1.0)


def _fewer(plan: _Plan) -> RepChange | None:
    if plan.problem.territories == 1:
        return None
    answers: list[RepChange] = []
    # Who has nobody has no middle either.
    held = np.bincount(plan.labels, minlength=plan.problem.territories) > 0
    order = _cheapest(plan)
    for leaves in order[held[order]][:_TRIED].tolist():
        if answers and time.monotonic() >= plan.until:
            break
        _, found = one_fewer(
            plan.problem, plan.labels, leaves, touching=plan.touching, watch=plan.watch, thorough=False
        )
        touched = tuple(sorted({leaves, *(one + (one >= leaves) for one in found.touched)}))
        where = plan.accounts.labels(plan.labels) == leaves
        left = float(plan.capacities.sum() - plan.capacities[leaves])
        # Territories have the numbers that they had.
        after = found.labels + (found.labels >= leaves)
        answers.append(_change(plan, found, after, leaves, touched, where, left))
    return min(answers, key=lambda one: (not one.within_tolerance, one.mean_km_after), default=None)


def _cheapest(plan: _Plan) -> Integers:
    """Return the territories by what travel grows by if each unit of theirs goes to the next nearest middle, least first."""
    problem, labels = plan.problem, plan.labels
    where = _middles(problem, labels)
    some = min(problem.territories, 2)
    distance, near = cKDTree(where).query(problem.xy, k=some)
    other = np.where(near[:, 0] == labels, distance[:, 1], distance[:, 0])
    own = np.hypot(*(problem.xy - where[labels]).T)
    grows = np.bincount(labels, problem.weight * (other - own), problem.territories)
    return np.argsort(grows, kind="stable")


def _change(
    plan: _Plan,
    found: WhatIf,
    after: Labels,
    leaves: int | None,
    touched: tuple[int, ...],
    where: Flags,
    reps: float,
) -> RepChange:
    """Tell of accounts what a change comes to: after, labels of units under the numbers of before; where, who comes or goes."""
    problem, accounts = plan.problem, plan.accounts
    latitude, longitude = accounts.plane.to_sphere(accounts.xy[where].mean(axis=0)[None, :])
    totals = problem.measures.sum(axis=0)
    loads = loads_of(plan.labels, problem.measures, problem.territories)
    off = np.abs(loads / (problem.targets / problem.targets.sum(axis=0) * totals) - 1).max(axis=0)
    labels, others = accounts.labels(plan.labels), accounts.labels(after)
    return RepChange(
        leaves=leaves,
        touched=touched,
        latitude=float(latitude[0]),
        longitude=float(longitude[0]),
        moved=int((labels != others).sum()),
        mean_km_before=accounts.mean_km(labels, problem.territories),
        mean_km_after=accounts.mean_km(others, problem.territories + 1),
        deviation_before=tuple(off.tolist()),
        deviation_after=tuple(found.deviation.tolist()),
        load_per_rep_before=tuple((totals / plan.capacities.sum()).tolist()),
        load_per_rep_after=tuple((totals / reps).tolist()),
        within_tolerance=not found.off,
    )


def _middles(problem: Problem, labels: Labels) -> Floats:
    weight = np.maximum(np.bincount(labels, problem.weight, problem.territories), 1e-300)
    sums = [np.bincount(labels, problem.weight * problem.xy[:, d], problem.territories) for d in (0, 1)]
    return np.asarray(np.column_stack(sums) / weight[:, None], np.float64)
