"""What one rep more or fewer would do to a plan, worked out beside the proposal."""

import time

import numpy as np
import pytest

from services.assignment.design.engine.geography import projected
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.solving import propose
from services.assignment.design.sensing import Accounts, sensitivity
from services.assignment.design.sensitivity import Sensitivity

FAR = 3600.0


def sensed(territories: int, seconds: float, capacities: list[float] | None = None) -> Sensitivity | None:
    """Return it for 400 accounts on a square of two degrees."""
    dice = np.random.default_rng(6)
    latitude, longitude = 40 + 2 * dice.random(400), -90 + 2 * dice.random(400)
    xy, plane = projected(latitude, longitude)
    can = np.ones(territories) if capacities is None else np.array(capacities)
    touching = neighbours(xy)
    problem = Problem(
        xy=xy,
        weight=np.ones(400),
        measures=np.ones((400, 1)),
        targets=(can / can.sum())[:, None] * 400,
        tolerance=np.array([0.1]),
        adjacency=touching,
    )
    labels = propose(problem).labels
    accounts = Accounts(latitude, longitude, xy, plane)
    return sensitivity(problem, labels, can, accounts, touching, until=time.monotonic() + seconds)


def test_one_more_carries_less_and_one_fewer_more():
    found = sensed(5, FAR)
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is not None
    assert found.one_more.leaves is None
    assert found.one_fewer.leaves in found.one_fewer.touched
    assert found.one_more.load_per_rep_after == pytest.approx([400 / 6])
    assert found.one_fewer.load_per_rep_after == pytest.approx([100])
    assert found.one_more.within_tolerance
    assert found.one_fewer.within_tolerance
    assert found.one_more.mean_km_after < found.one_more.mean_km_before < found.one_fewer.mean_km_after
    # A sixth of the accounts has to go to the new one, less the tolerance; the lost one's have to go anyway.
    assert found.one_more.moved >= 400 / 6 * 0.9 - 1
    assert found.one_fewer.moved >= 400 / 5 * 0.9 - 1
    for change in (found.one_more, found.one_fewer):
        assert 40 < change.latitude < 42
        assert -90 < change.longitude < -88


def test_a_full_time_rep_beside_half_time_ones():
    found = sensed(4, FAR, [0.5, 0.5, 0.5, 0.5])
    assert found is not None
    assert found.one_more is not None
    assert found.one_more.load_per_rep_before == (200.0,)
    assert found.one_more.load_per_rep_after == pytest.approx([400 / 3])
    assert found.one_more.moved >= 400 / 3 * 0.9 - 1


def test_the_only_rep_cannot_leave():
    found = sensed(1, FAR)
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is None


def test_without_time_nothing_is_known():
    assert sensed(3, 0.0) is None
