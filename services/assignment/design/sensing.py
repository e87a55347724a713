"""Asks the engine what one full-time rep more or fewer would do to a plan: runs in the engine's own process, after a proposal."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.problem import Problem, WrongProblemError, loads_of
from services.assignment.design.engine.proposal import Stage, StoppedError
from services.assignment.design.engine.what_if import WhatIf, one_fewer, one_more
from services.assignment.design.sensitivity import RepChange, Sensitivity

# Of how many territories it is tried out what their loss would cost.
_TRIED = 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan that stands, and what is asked of it; capacities (K,) in full-time reps."""

    problem: Problem
    labels: Labels
    capacities: Floats
    plane: Plane
    touching: Adjacency
    until: float

    def watch(self, _stage: Stage, _share: float, _labels: Labels | None) -> None:
        """Raise StoppedError when the time is up."""
        if time.monotonic() >= self.until:
            raise StoppedError


def sensitivity(
    problem: Problem, labels: Labels, capacities: Floats, plane: Plane, touching: Adjacency, *, until: float
) -> Sensitivity | None:
    """Return what one rep more and one fewer would do; None when the time is up before anything is known."""
    plan = _Plan(problem, labels, capacities, plane, touching, until)
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


def _more(plan: _Plan) -> RepChange:
    target = plan.problem.targets.sum(axis=0) / plan.capacities.sum()
    _, found = one_more(
        plan.problem, plan.labels, target, touching=plan.touching, watch=plan.watch, thorough=False
    )
    touched = tuple(one for one in found.touched if one < plan.problem.territories)
    new = found.labels == plan.problem.territories
    return _change(plan, found, None, touched, new, float(plan.capacities.sum()) + 1.0)


def _fewer(plan: _Plan) -> RepChange | None:
    if plan.problem.territories == 1:
        return None
    answers: list[RepChange] = []
    for leaves in _cheapest(plan)[:_TRIED].tolist():
        if answers and time.monotonic() >= plan.until:
            break
        _, found = one_fewer(
            plan.problem, plan.labels, leaves, touching=plan.touching, watch=plan.watch, thorough=False
        )
        touched = tuple(one + (one >= leaves) for one in found.touched)
        gone = plan.labels == leaves
        left = float(plan.capacities.sum() - plan.capacities[leaves])
        answers.append(_change(plan, found, leaves, tuple(sorted({*touched, leaves})), gone, left))
    return min(answers, key=lambda one: (not one.within_tolerance, one.mean_km_after), default=None)


def _cheapest(plan: _Plan) -> Integers:
    """Return the territories by what travel grows by if each unit of theirs goes to the next nearest middle, least first."""
    problem, labels = plan.problem, plan.labels
    middles = _middles(problem.xy, labels, problem.territories)
    some = min(problem.territories, 2)
    distance, near = cKDTree(middles).query(problem.xy, k=some)
    other = np.where(near[:, 0] == labels, distance[:, 1], distance[:, 0])
    own = np.hypot(*(problem.xy - middles[labels]).T)
    grows = np.bincount(labels, problem.weight * (other - own), problem.territories)
    return np.argsort(grows, kind="stable")


def _change(
    plan: _Plan,
    found: WhatIf,
    leaves: int | None,
    touched: tuple[int, ...],
    where: np.ndarray[tuple[int], np.dtype[np.bool_]],
    reps: float,
) -> RepChange:
    problem = plan.problem
    latitude, longitude = plan.plane.to_sphere(problem.xy[where].mean(axis=0)[None, :])
    totals = problem.measures.sum(axis=0)
    loads = loads_of(plan.labels, problem.measures, problem.territories)
    before = np.abs(loads / (problem.targets / problem.targets.sum(axis=0) * totals) - 1).max(axis=0)
    middles = _middles(problem.xy, plan.labels, problem.territories)
    return RepChange(
        leaves=leaves,
        touched=touched,
        latitude=float(latitude[0]),
        longitude=float(longitude[0]),
        moved=found.moved_units + (int(where.sum()) if leaves is not None else 0),
        mean_km_before=float(np.hypot(*(problem.xy - middles[plan.labels]).T).mean()),
        mean_km_after=found.mean_km,
        deviation_before=tuple(before.tolist()),
        deviation_after=tuple(found.deviation.tolist()),
        load_per_rep_before=tuple((totals / plan.capacities.sum()).tolist()),
        load_per_rep_after=tuple((totals / reps).tolist()),
        within_tolerance=not found.off,
    )


def _middles(xy: Floats, labels: Labels, territories: int) -> Floats:
    counts = np.maximum(np.bincount(labels, minlength=territories), 1)
    sums = [np.bincount(labels, xy[:, axis], territories) for axis in (0, 1)]
    return np.asarray(np.column_stack(sums) / counts[:, None], np.float64)
