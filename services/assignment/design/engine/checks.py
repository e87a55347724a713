"""What a problem has to be like to make sense."""

import numpy as np
from numpy.typing import NDArray

from services.assignment.design.engine.problem import Effort, Problem, WrongProblemError

# Further than the earth is round: km were meant to be something else.
_FURTHEST_KM = 1e6
_LARGEST = 1e30


def check(problem: Problem) -> None:
    """Raise WrongProblemError, which names the field and what to change, for a problem that makes no sense."""
    n, territories = problem.units, problem.territories
    if n == 0:
        raise WrongProblemError("xy", "there are no units: give at least one")
    if territories == 0:
        raise WrongProblemError("targets", "there are no territories: give at least one")
    kinds = problem.measures.shape[1] if problem.measures.ndim == 2 else 0
    if kinds == 0:
        raise WrongProblemError("measures", "there is nothing to balance: give at least one measure")
    _shape("xy", problem.xy, (n, 2))
    _shape("weight", problem.weight, (n,))
    _shape("measures", problem.measures, (n, kinds))
    _shape("targets", problem.targets, (territories, kinds))
    _shape("tolerance", problem.tolerance, (kinds,))
    _numbers("xy", problem.xy)
    if (np.abs(problem.xy) > _FURTHEST_KM).any():
        raise WrongProblemError("xy", "xy is further away than the earth is round: give km in a plane")
    _not_below_zero("weight", problem.weight)
    _not_below_zero("measures", problem.measures)
    _not_below_zero("targets", problem.targets)
    _not_below_zero("tolerance", problem.tolerance)
    if (problem.targets <= 0).any():
        raise WrongProblemError("targets", "every territory needs a target above zero for every measure")
    for name in ("stay", "pull", "most_moved"):
        value = getattr(problem, name)
        if not np.isfinite(value) or value < 0 or (name != "stay" and value > 1):
            raise WrongProblemError(
                name, f"{name} is {value}: it has to be a number from 0{'' if name == 'stay' else ' to 1'}"
            )
    if problem.soft is not None:
        _shape("soft", problem.soft, (kinds,))
    _check_homes(problem)
    _check_who_may(problem)
    _check_sizes(problem)
    _check_adjacency(problem)


def check_effort(effort: Effort) -> None:
    """Raise WrongProblemError for an effort that makes no sense."""
    for name, least in (("starts", 1), ("rounds", 1), ("seed", 0)):
        if getattr(effort, name) < least:
            raise WrongProblemError(name, f"{name} has to be {least} or more")


def _check_homes(problem: Problem) -> None:
    if problem.homes is None:
        return
    _shape("homes", problem.homes, (problem.territories, 2))
    somewhere = ~np.isnan(problem.homes).all(axis=1)
    wrong = np.flatnonzero(somewhere)[~(np.abs(problem.homes[somewhere]) < _FURTHEST_KM).all(axis=1)]
    if len(wrong):
        raise WrongProblemError(
            "homes", f"homes is neither a place nor nowhere (two nan) in row {int(wrong[0])}"
        )


def _check_adjacency(problem: Problem) -> None:
    adjacency, n = problem.adjacency, problem.units
    if adjacency is None:
        return
    starts, targets = adjacency.starts, adjacency.targets
    _shape("adjacency", starts, (n + 1,))
    if starts[0] != 0 or starts[-1] != len(targets) or (np.diff(starts) < 0).any():
        raise WrongProblemError("adjacency", "adjacency.starts has to rise from 0 to the number of targets")
    if len(targets) and (targets.min() < 0 or targets.max() >= n):
        raise WrongProblemError("adjacency", "adjacency names units that there are not")
    source = np.repeat(np.arange(n, dtype=np.uint64), np.diff(starts))
    target = targets.astype(np.uint64)
    # Sums of mixed bits: equal whatever the order of links, and practically never equal of different links.
    if _mixed(source * np.uint64(n) + target) != _mixed(target * np.uint64(n) + source):
        raise WrongProblemError(
            "adjacency", "adjacency has links that are there one way only: give each both ways"
        )


def _mixed(keys: NDArray[np.uint64]) -> int:
    """Return the sum of keys with their bits mixed. Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((keys ^ (keys >> np.uint64(31))).sum(dtype=np.uint64))


def _check_who_may(problem: Problem) -> None:
    n, territories = problem.units, problem.territories
    for name in ("fixed", "incumbents"):
        labels = getattr(problem, name)
        if labels is not None:
            _shape(name, labels, (n,))
            if ((labels < -1) | (labels >= territories)).any():
                raise WrongProblemError(
                    name, f"{name} has territories that there are not: -1 to {territories - 1} are right"
                )
    if problem.move_value is not None:
        _shape("move_value", problem.move_value, (n,))
        _not_below_zero("move_value", problem.move_value)
    if (problem.kinds is None) != (problem.permitted is None):
        raise WrongProblemError("permitted", "kinds and permitted go together: give both or none")
    if problem.kinds is not None and problem.permitted is not None:
        _shape("kinds", problem.kinds, (n,))
        _shape("permitted", problem.permitted, (len(problem.permitted), territories))
        if ((problem.kinds < 0) | (problem.kinds >= len(problem.permitted))).any():
            raise WrongProblemError("kinds", "kinds has numbers that permitted has no row for")
        nobody = np.setdiff1d(problem.kinds, np.flatnonzero(problem.permitted.sum(axis=1)))
        if len(nobody):
            raise WrongProblemError("permitted", f"no territory may hold units of kind {int(nobody[0])}")
        fixed = problem.fixed
        if fixed is not None:
            held = np.flatnonzero(fixed >= 0)
            if not problem.permitted[problem.kinds[held], fixed[held]].all():
                raise WrongProblemError("fixed", "a unit is fixed in a territory that may not hold it")


def _check_sizes(problem: Problem) -> None:
    n, territories = float(problem.units), problem.territories
    least, most = problem.least_units, problem.most_units
    if problem.counts is not None:
        _shape("counts", problem.counts, (problem.units,))
        _not_below_zero("counts", problem.counts)
        n = float(problem.counts.sum())
    for name, sizes in (("least_units", least), ("most_units", most)):
        if sizes is not None:
            _shape(name, sizes, (territories,))
            _not_below_zero(name, sizes)
    if least is not None and least.sum() > n:
        raise WrongProblemError(
            "least_units", f"territories want {least.sum():g} units at least, and there are {n:g}"
        )
    if most is not None and most.sum() < n:
        raise WrongProblemError(
            "most_units", f"territories take {most.sum():g} units at most, and there are {n:g}"
        )
    if least is not None and most is not None and (least > most).any():
        raise WrongProblemError("least_units", "a territory wants more units than it takes")


def _shape(name: str, array: NDArray[np.generic], wanted: tuple[int, ...]) -> None:
    if array.shape != wanted:
        raise WrongProblemError(name, f"{name} has shape {array.shape} instead of {wanted}")


def _numbers(name: str, array: NDArray[np.generic]) -> None:
    wrong = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if len(wrong):
        raise WrongProblemError(name, f"{name} is no number in row {int(wrong[0])}")


def _not_below_zero(name: str, array: NDArray[np.float64]) -> None:
    _numbers(name, array)
    wrong = np.flatnonzero((array < 0).reshape(len(array), -1).any(axis=1))
    if len(wrong):
        raise WrongProblemError(name, f"{name} is below zero in row {int(wrong[0])}")
    if array.size and float(array.max()) > _LARGEST:
        raise WrongProblemError(name, f"{name} is above {_LARGEST:g} in places: choose a larger unit")
