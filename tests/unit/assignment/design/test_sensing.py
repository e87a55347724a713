"""What one rep more or fewer would do to a plan, worked out beside the proposal."""

import json
import math
import time
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from services.assignment.design.designing import design
from services.assignment.design.engine.geography import projected
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.solving import propose
from services.assignment.design.lengths import lengths_km, middles
from services.assignment.design.proposals.sensitivity import sensitivity_shown, sensitivity_told
from services.assignment.design.runs.run import Progress
from services.assignment.design.sensing import Accounts, sensitivity
from services.assignment.design.sensitivity import Sensitivity
from tests.unit.assignment.design.test_designing import question

FAR = 3600.0


def sensed(
    territories: int, seconds: float, capacities: list[float] | None = None, known: int | None = None
) -> Sensitivity | None:
    """Return it for 400 accounts on a square of two degrees; capacities are told of so many territories, None for all."""
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
    return sensitivity(problem, labels, can[:known], accounts, touching, until=time.monotonic() + seconds)


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
    assert found.one_more.capacity == 1.0
    # Nobody is full-time: what goes is what there is, and is told.
    assert found.one_fewer is not None
    assert found.one_fewer.capacity == 0.5
    assert found.one_fewer.load_per_rep_after == pytest.approx([400 / 1.5])


@pytest.mark.parametrize("capacities", [[0.2, 1.0, 0.3, 1.0, 0.2], [3.0, 0.25, 0.95, 2.0]])
def test_one_fewer_is_a_full_time_rep_where_there_are_any(capacities: list[float]):
    """A part-timer's few accounts are taken over at less cost, but that answers another question."""
    found = sensed(len(capacities), FAR, capacities)
    assert found is not None
    assert found.one_fewer is not None
    assert found.one_fewer.leaves is not None
    assert found.one_fewer.capacity == capacities[found.one_fewer.leaves]
    assert found.one_fewer.capacity in {1.0, 0.95}


def test_the_only_rep_cannot_leave():
    found = sensed(1, FAR)
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is None


def test_what_breaks_off_one_question_leaves_the_other_answered():
    """Whatever it is: here capacities that are one short."""
    found = sensed(4, FAR, capacities=[1.0] * 4, known=3)
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is None


@pytest.mark.parametrize(("accounts", "territories"), [(1, 2), (2, 3), (3, 3), (4, 5), (5, 5), (6, 5)])
@pytest.mark.parametrize("contiguous", [True, False])
def test_no_more_accounts_than_territories_can_be_told_and_kept(
    *, accounts: int, territories: int, contiguous: bool
):
    rows = np.arange(accounts)
    asked = question(
        latitude=45.0 + rows / 10,
        longitude=5.0 + rows % 3 / 10,
        measures=np.ones((accounts, 1)),
        move_value=np.ones(accounts),
        incumbents=np.full(accounts, -1, np.int32),
        uprooted=np.zeros(accounts, dtype=np.bool_),
        fixed=np.full(accounts, -1, np.int32),
        capacities=np.ones(territories),
        homes=np.full((territories, 2), np.nan),
        contiguous=contiguous,
    )
    answer = design(asked, seconds=120, tell=lambda _: None)
    kept = sensitivity_told(answer.sensitivity, [UUID(int=one) for one in range(territories)])
    if kept is not None:
        shown = sensitivity_shown(json.loads(kept, parse_constant=pytest.fail))
        assert shown is not None
        for change in (shown.one_more, shown.one_fewer):
            assert change is None or (change.moved_accounts > 0 and change.capacity == 1.0)
        if shown.one_fewer is not None:
            held = np.bincount(answer.proposal.labels, minlength=territories)
            assert shown.one_fewer.territory_id is not None
            assert held[shown.one_fewer.territory_id.int] > 0


def test_a_figure_that_is_no_number_is_refused():
    found = sensed(3, FAR)
    assert found is not None
    assert found.one_more is not None
    for changed in ({"latitude": math.nan}, {"deviation_after": (0.1, math.inf)}):
        with pytest.raises(ArithmeticError):
            replace(found.one_more, **changed)


def test_ways_begin_where_those_of_the_proposal_do():
    """Reps live in a corner, and territories are pulled half of the way to it."""
    homes = np.array([[45.0, 5.0], [np.nan, np.nan], [45.1, 5.0]])
    told = list[Progress]()
    asked = question(homes=homes, pull=0.5, capacities=np.ones(3), tolerance=np.array([0.15]), stay=0.0)
    answer = design(asked, seconds=120, tell=told.append)
    found = answer.sensitivity
    assert found is not None
    assert found.one_more is not None
    assert found.one_fewer is not None
    for change in (found.one_more, found.one_fewer):
        assert change.mean_km_before == pytest.approx(answer.overall_km, rel=1e-9)
    assert found.one_fewer.leaves is not None
    assert found.one_fewer.latitude == pytest.approx(answer.latitude[found.one_fewer.leaves], rel=1e-9)
    assert told[-1].figures is not None
    assert told[-1].figures.mean_km == pytest.approx(answer.overall_km, rel=1e-9)
    # So much is it another figure than that of plain means.
    xy, plane = projected(asked.latitude, asked.longitude)
    plain = middles(xy, answer.proposal.labels, 3, plane)
    unlike = lengths_km(asked.latitude, asked.longitude, answer.proposal.labels, plain).mean()
    assert answer.overall_km > unlike * 1.2


def test_without_time_nothing_is_known():
    assert sensed(3, 0.0) is None
