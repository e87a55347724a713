"""A problem that makes no sense is refused by the name of the field."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.assignment.design.engine.contiguity import Adjacency
from services.assignment.design.engine.problem import Effort, WrongProblemError
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine.problems import plain

N, K = 40, 4
RIGHT: dict[str, Any] = {
    "xy": plain(N, K).xy,
    "weight": np.ones(N),
    "measures": np.ones((N, 2)),
    "targets": np.ones((K, 2)),
    "tolerance": np.full(2, 0.2),
    "soft": np.array([False, True]),
    "homes": np.full((K, 2), 5.0),
    "incumbents": np.zeros(N, np.int32),
    "fixed": np.full(N, -1, np.int32),
    "move_value": np.ones(N),
    "kinds": np.zeros(N, np.int32),
    "permitted": np.ones((1, K), bool),
    "least_units": np.ones(K),
    "most_units": np.full(K, 40.0),
}
# How many units and territories there are is told by xy and targets.
ARRAYS = sorted(set(RIGHT) - {"permitted", "xy", "targets"})
NUMBERS = (
    "xy",
    "weight",
    "measures",
    "targets",
    "tolerance",
    "homes",
    "move_value",
    "least_units",
    "most_units",
)
RING = np.arange(N, dtype=np.int32)


def refused(field: str, **fields: Any) -> str:
    """Return what is said of a problem with these fields, after seeing that it is said of this one."""
    problem = replace(plain(N, K, columns=2), **(RIGHT | fields))
    with pytest.raises(WrongProblemError) as refusal:
        propose(problem)
    assert refusal.value.field == field
    return str(refusal.value)


def test_what_the_others_are_made_of_makes_sense():
    assert propose(replace(plain(N, K, columns=2), **RIGHT)).labels.shape == (N,)


@pytest.mark.parametrize("field", ARRAYS)
@pytest.mark.parametrize("how", ["short", "long", "deep"])
def test_a_wrong_shape(field, how):
    right = RIGHT[field]
    wrong = {"short": right[:-1], "long": np.concatenate([right, right[:1]]), "deep": right[..., None]}[how]
    refused(field, **{field: wrong})


def test_as_many_of_each_as_there_are_places_and_targets():
    refused("weight", xy=RIGHT["xy"][:-1])
    refused("homes", targets=RIGHT["targets"][:-1], permitted=np.ones((1, K - 1), bool), incumbents=None)
    refused("xy", xy=np.ones((N, 3)))
    refused("targets", targets=np.ones((K, 3)))


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number(field, value):
    wrong = RIGHT[field].copy()
    wrong.flat[-1] = value
    assert str(len(wrong) - 1) in refused(field, **{field: wrong})


@pytest.mark.parametrize("field", sorted(set(NUMBERS) - {"xy", "homes"}))
def test_what_is_below_zero(field):
    wrong = RIGHT[field].copy()
    wrong.flat[0] = -1e-9
    refused(field, **{field: wrong})


def test_a_target_of_zero():
    refused("targets", targets=np.array([[1.0, 1], [1, 1], [1, 0], [1, 1]]))


@pytest.mark.parametrize("field", ["stay", "pull", "most_moved"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1])
def test_a_wish_that_is_no_number(field, value):
    refused(field, **{field: value})


@pytest.mark.parametrize("field", ["pull", "most_moved"])
def test_a_share_above_one(field):
    refused(field, **{field: 1.0001})


@pytest.mark.parametrize("field", ["fixed", "incumbents"])
@pytest.mark.parametrize("territory", [-2, K])
def test_a_territory_that_there_is_not(field, territory):
    wrong = RIGHT[field].copy()
    wrong[7] = territory
    refused(field, **{field: wrong})


def test_kinds_and_who_may_hold_them():
    kinds = np.zeros(N, np.int32)
    kinds[3] = 1
    refused("kinds", kinds=kinds)
    refused("kinds", kinds=kinds - 2)
    refused("permitted", kinds=None)
    refused("permitted", permitted=None)
    refused("permitted", kinds=kinds, permitted=np.array([[True] * K, [False] * K]))
    fixed = np.full(N, -1, np.int32)
    fixed[3] = 2
    refused("fixed", kinds=kinds, permitted=np.array([[True] * K, [True, True, False, True]]), fixed=fixed)


def test_sizes_that_no_plan_has():
    refused("least_units", least_units=np.full(K, 11.0), most_units=None)
    refused("most_units", most_units=np.full(K, 9.0), least_units=None)
    refused("least_units", least_units=np.array([9.0, 0, 0, 0]), most_units=np.array([8.0, 40, 40, 40]))


@pytest.mark.parametrize(
    ("starts", "targets"),
    [
        (np.zeros(N), np.zeros(0)),
        (np.arange(N + 1), RING[:-1]),
        (np.arange(N + 1), np.roll(RING, 1)),
        (np.arange(N + 1), np.full(N, N)),
        (np.arange(N + 1), np.full(N, -1)),
        (np.r_[0, 2, np.arange(1, N - 1), N], RING),
        (np.arange(1, N + 2), np.r_[RING, 0]),
    ],
    ids=[
        "too short",
        "ends early",
        "one way only",
        "beyond the last",
        "below the first",
        "falls",
        "begins late",
    ],
)
def test_an_adjacency_that_is_none(starts, targets):
    """Kernels do not look where they read: what gets past here reads other people's memory."""
    refused("adjacency", adjacency=Adjacency(starts.astype(np.int64), targets.astype(np.int32)))


def test_sums_that_no_number_holds():
    refused("weight", weight=np.full(N, 1e308))
    refused("measures", measures=np.full((N, 2), 1e308))
    refused("targets", targets=np.full((K, 2), 1e308))
    refused("xy", xy=np.full((N, 2), 1e200))


@pytest.mark.parametrize("field", ["starts", "rounds", "seed"])
def test_an_effort_that_is_none(field):
    with pytest.raises(WrongProblemError) as refusal:
        propose(plain(N, K), Effort(**{field: -1}))
    assert refusal.value.field == field


def test_nothing_at_all():
    refused("xy", xy=np.empty((0, 2)))
    refused("targets", targets=np.empty((0, 2)))
    refused("measures", measures=np.empty((N, 0)))
    refused("measures", measures=np.ones(N))
