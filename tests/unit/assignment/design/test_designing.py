"""From a question to an answer: figures that hold when counted again, and what comes of it when the time is up."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.assignment.design.designing import design
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import EnoughError, Stage, StoppedError
from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.engine.solving import propose
from services.assignment.design.inputs.question import Question
from services.assignment.design.runs.run import Progress
from services.assignment.design.watching import Watch

SIDE = 20


def question(**changed: Any) -> Question:
    """A square of places between three territories that hold unequal parts of it today."""
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    asked = Question(
        latitude=45.0 + rows / 20,
        longitude=5.0 + columns / 20,
        measures=np.ones((SIDE * SIDE, 1)),
        move_value=np.ones(SIDE * SIDE),
        incumbents=np.select([rows < 4, rows < 9], [0, 1], 2).astype(np.int32),
        uprooted=np.zeros(SIDE * SIDE, dtype=np.bool_),
        fixed=np.full(SIDE * SIDE, -1, np.int32),
        kinds=None,
        permitted=None,
        capacities=np.array([1.0, 1.0, 2.0]),
        homes=np.full((3, 2), np.nan),
        tolerance=np.array([0.03]),
        soft=np.array([False]),
        pull=0.0,
        stay=0.5,
        most_moved=1.0,
        contiguous=True,
        starts=2,
        seed=4,
    )
    return replace(asked, **changed)


@pytest.mark.parametrize(("most_moved", "feasible"), [(0.3, True), (0.01, False)])
def test_what_moves_in_any_case_counts_and_has_its_part_of_the_budget(*, most_moved: float, feasible: bool):
    """Its territory of today is none of those that are designed; the draft's diff calls it moved, too."""
    uprooted = np.arange(SIDE * SIDE) >= SIDE * (SIDE - 1)
    asked = question(most_moved=most_moved, tolerance=np.array([0.2]), uprooted=uprooted)
    asked = replace(asked, incumbents=np.where(uprooted, np.int32(-1), asked.incumbents))
    told = list[Progress]()
    answer = design(asked, seconds=60, tell=told.append)
    moved = uprooted | (answer.proposal.labels != asked.incumbents)
    assert (answer.moved, answer.aligned) == (moved.sum(), SIDE * SIDE)
    assert answer.moved_share == pytest.approx(moved.mean())
    assert (answer.moved_share <= most_moved) == feasible == answer.proposal.feasible
    assert [one.code for one in answer.proposal.why] == ([] if feasible else [ShortOf.MOST_MOVED])


def test_figures_hold_when_counted_again():
    asked, told = question(), list[Progress]()
    answer = design(asked, seconds=60, tell=told.append)
    proposal = answer.proposal
    assert proposal.feasible
    loads = np.bincount(proposal.labels, minlength=3)
    assert answer.targets[:, 0] == pytest.approx([100, 100, 200])
    assert np.abs(loads / [100, 100, 200] - 1).max() <= 0.03 + 1e-9
    assert answer.moved == (proposal.labels != asked.incumbents).sum() == proposal.moved_units
    assert answer.aligned == SIDE * SIDE
    # Degrees of latitude and longitude come back out of the plane.
    for territory in range(3):
        assert asked.latitude[proposal.labels == territory].mean() == pytest.approx(
            answer.latitude[territory], abs=0.01
        )
    assert [one.stage for one in told][:1] == ["prepare"]
    assert told[-1].stage == "report"
    assert told[-1].figures is not None
    assert told[-1].figures.moved == pytest.approx(answer.moved / (SIDE * SIDE))


def _haversine_km(latitude: float, longitude: float, other: tuple[float, float]) -> float:
    """Return a great-circle length the plain way."""
    north, south = math.radians(latitude), math.radians(other[0])
    around = math.radians(longitude - other[1])
    cosine = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(around)
    return 6371.0088 * math.acos(min(1.0, cosine))


def test_lengths_are_told_as_they_are_on_the_earth_far_from_the_middle_of_the_plane():
    """A third of the accounts is 9,000 km from the rest: in the plane its lengths are off by a tenth."""
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    far = rows >= 14
    asked = question(
        latitude=np.where(far, 21.0, 45.0) + rows / 20,
        longitude=np.where(far, -157.0, 5.0) + columns / 20,
        contiguous=False,
        tolerance=np.array([0.5]),
        stay=0.0,
    )
    told = list[Progress]()
    answer = design(asked, seconds=60, tell=told.append)
    labels = answer.proposal.labels
    km = np.array(
        [
            _haversine_km(north, east, (answer.latitude[label], answer.longitude[label]))
            for north, east, label in zip(asked.latitude, asked.longitude, labels, strict=True)
        ]
    )
    assert answer.overall_km == pytest.approx(km.mean(), rel=1e-6)
    for territory in range(3):
        assert answer.mean_km[territory] == pytest.approx(km[labels == territory].mean(), rel=1e-6)
    assert told[-1].figures is not None
    assert told[-1].figures.mean_km == pytest.approx(answer.overall_km, rel=1e-6)
    assert abs(answer.proposal.mean_km / answer.overall_km - 1) > 0.005


def test_what_there_is_when_the_time_is_up_is_the_answer():
    """The time is up with the first plan that is shown: the engine is stopped before its next step."""
    asked = question(
        starts=64, measures=np.column_stack([np.ones(SIDE * SIDE), 1.0 + np.arange(SIDE * SIDE) % 7])
    )
    asked = replace(asked, tolerance=np.array([0.01, 0.01]), soft=np.array([False, False]))
    shown: list[Progress] = []
    watch = _watch(shown, asked, until=0.0, starts_until=0.0)
    labels = asked.incumbents.copy()
    with pytest.raises(StoppedError):
        watch(Stage.IMPROVE, 0.5, labels)
    assert shown == []
    assert watch.best is not None
    assert watch.best.tolist() == labels.tolist()
    watch(Stage.REPORT, 0.0, labels)
    assert [one.stage for one in shown] == ["report"]
    watch.close()
    with pytest.raises(StoppedError):
        watch(Stage.REPORT, 1.0, labels)


def _watch(shown: list[Progress], asked: Question, *, until: float, starts_until: float) -> Watch:
    return Watch(
        shown.append,
        asked,
        np.zeros((SIDE * SIDE, 2)),
        Plane(45.0, 5.0),
        np.ones((3, 2)),
        until=until,
        starts_until=starts_until,
    )


def test_beginnings_have_a_part_of_the_time_only():
    watch = _watch([], question(), until=np.inf, starts_until=0.0)
    watch(Stage.BALANCE, 0.5, None)
    with pytest.raises(EnoughError):
        watch(Stage.STARTS, 0.5, None)


def test_without_any_plan_in_time_it_is_stopped():
    with pytest.raises(StoppedError):
        design(question(), seconds=0, tell=lambda _: None)


def test_a_plan_is_judged_as_it_would_be_proposed():
    dice = np.random.default_rng(3)
    xy = dice.random((300, 2)) * 100
    ones = np.ones((300, 1))
    problem = Problem(
        xy=xy, weight=np.ones(300), measures=ones, targets=np.ones((4, 1)), tolerance=np.array([0.05])
    )
    proposal = propose(problem, Effort(seed=2))
    again = judged(problem, proposal.labels, Effort(seed=2))
    assert again.cost == pytest.approx(proposal.cost)
    assert (again.feasible, again.why, again.input_hash) == (True, (), proposal.input_hash)
    assert again.bound == pytest.approx(proposal.bound, rel=0.01)


def test_groups_are_told_as_accounts_while_the_engine_is_at_work():
    rows = np.arange(SIDE * SIDE) // SIDE
    asked = question(groups=rows // 2, tolerance=np.array([0.3]))
    told = list[Progress]()
    answer = design(asked, seconds=60, tell=told.append)
    labels = answer.proposal.labels
    assert labels.shape == (SIDE * SIDE,)
    assert all(len(np.unique(labels[rows // 2 == group])) == 1 for group in range(SIDE // 2))
    assert told[-1].figures is not None
    assert told[-1].figures.moved == pytest.approx(answer.moved / (SIDE * SIDE))
    assert answer.moved == (labels != asked.incumbents).sum()
    # Who is kept together touches, for whoever edits the proposal by hand.
    starts, targets = answer.neighbours.starts, answer.neighbours.targets
    assert 2 * SIDE - 1 in targets[starts[0] : starts[1]]


@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
def test_fewer_groups_than_territories_are_told_and_nothing_breaks(*, groups: int, contiguous: bool):
    asked = question(groups=np.arange(SIDE * SIDE) % groups, contiguous=contiguous)
    answer = design(asked, seconds=60, tell=lambda _: None)
    assert not answer.proposal.feasible
    assert any(one.code is ShortOf.EMPTY for one in answer.proposal.why)
    assert len(np.unique(answer.proposal.labels)) == groups


def test_no_territory_reaches_across_a_barrier():
    """A wall from south to north; 140 of 400 places are west of it, a third and a few more."""
    wall = (np.array([[5.33, 44.0], [5.33, 47.0]]),)
    asked = question(barriers=wall, tolerance=np.array([0.1]), stay=0.0, capacities=np.ones(3))
    answer = design(asked, seconds=60, tell=lambda _: None)
    assert answer.proposal.feasible, answer.proposal.why
    west = asked.longitude < 5.33
    assert not set(answer.proposal.labels[west]) & set(answer.proposal.labels[~west])


def test_walls_around_everybody_are_told_as_parts():
    lines = tuple(
        np.array([[5.025 + number / 20, 44.0], [5.025 + number / 20, 47.0]]) for number in range(SIDE)
    ) + tuple(np.array([[4.0, 45.025 + number / 20], [7.0, 45.025 + number / 20]]) for number in range(SIDE))
    answer = design(question(barriers=lines), seconds=60, tell=lambda _: None)
    assert any(one.code is ShortOf.IN_PARTS for one in answer.proposal.why)
    assert answer.neighbours.starts[-1] == 0
