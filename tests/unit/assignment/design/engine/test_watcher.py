"""Who watches sees where the engine is, in order, and stops it."""

from dataclasses import fields

import numpy as np
import pytest

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import EnoughError, Stage, StoppedError
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import plain

ORDER = list(Stage)


class Watch:
    """Keeps what it is shown, and a copy of it; has no more done after so many calls."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[tuple[Stage, float]] = []
        self.maps: list[tuple[Labels, Labels]] = []
        self._stop_after = stop_after

    def __call__(self, stage: Stage, share: float, labels: Labels | None) -> None:
        self.seen.append((stage, share))
        if labels is not None:
            self.maps.append((labels, labels.copy()))
        if len(self.seen) == self._stop_after:
            raise StoppedError


def wanted(wish: str) -> Problem:
    random = np.random.default_rng(1)
    today = random.integers(0, 5, 200).astype(np.int32)
    lumpy = {"measures": random.lognormal(0, 1, (200, 1))}
    return {
        "from scratch": plain,
        "from scratch, lumpy": lambda: plain(territories=12, **lumpy),
        "named after today": lambda: plain(incumbents=today),
        "from today": lambda: plain(incumbents=today, stay=0.5),
        "one territory": lambda: plain(territories=1),
        "all fixed": lambda: plain(fixed=today),
    }[wish]()


WISHES = (
    "from scratch",
    "from scratch, lumpy",
    "named after today",
    "from today",
    "one territory",
    "all fixed",
)


def test_who_has_enough_beginnings_is_brought_through_with_those():
    problem, begun = plain(600, 8), []

    def watch(stage: Stage, _share: float, _labels: Labels | None) -> None:
        if stage is Stage.STARTS:
            begun.append(stage)
            if len(begun) > 2:
                raise EnoughError

    found = propose(problem, Effort(starts=40), watch)
    assert len(begun) == 3
    assert found.labels.tolist() == propose(problem, Effort(starts=2)).labels.tolist()


def test_one_beginning_there_is_however_soon_there_are_enough():
    def watch(stage: Stage, _share: float, _labels: Labels | None) -> None:
        if stage is Stage.STARTS:
            raise EnoughError

    assert propose(plain(600, 8), Effort(starts=40), watch).feasible


def test_what_is_shown_last_is_the_best_so_far_whenever_it_is_stopped():
    """A later beginning is shown when it is better, and not while it is worked on."""
    problem = plain(1_200, 10, 5)
    shown: list[Labels] = []
    begun = 0

    def watch(stage: Stage, share: float, labels: Labels | None) -> None:
        nonlocal begun
        begun += stage is Stage.BALANCE and share == 0.0
        if begun > 3:
            raise StoppedError
        if labels is not None:
            shown.append(labels)

    with pytest.raises(StoppedError):
        propose(problem, Effort(starts=8), watch)
    assert not recheck.broken(problem, shown[-1])


def test_very_many_territories_have_one_beginning_and_enough_of_it():
    def watch(stage: Stage, _share: float, _labels: Labels | None) -> None:
        if stage is Stage.STARTS:
            raise EnoughError

    assert propose(plain(4_004, 1_001, tolerance=0.5), watch=watch).labels.max() == 1_000


@pytest.mark.parametrize("wish", ["from today", "one territory", "all fixed"])
def test_stages_come_in_order_and_shares_do_not_fall(wish):
    watch = Watch()
    propose(wanted(wish), watch=watch)
    places = [(ORDER.index(stage), share) for stage, share in watch.seen]
    assert places == sorted(places)
    assert all(0 <= share <= 1 for _, share in places)
    assert watch.seen[0][0] is Stage.PREPARE
    assert watch.seen[-1][0] is Stage.REPORT


@pytest.mark.parametrize("wish", WISHES)
def test_maps_shown_are_whole_and_do_not_change_afterwards(wish):
    """A server that sends them from another thread would send a mixture otherwise."""
    watch = Watch()
    problem = wanted(wish)
    found = propose(problem, watch=watch)
    assert watch.maps
    for shown, then in watch.maps:
        assert shown.shape == (problem.units,)
        assert ((shown >= 0) & (shown < problem.territories)).all()
        assert (shown == then).all()
    assert (watch.maps[-1][0] == found.labels).all()


def test_who_writes_on_a_map_shown_changes_nothing():
    problem = wanted("from today")

    def scribble(_stage: Stage, _share: float, labels: Labels | None) -> None:
        if labels is not None:
            labels[:] = 0

    assert (propose(problem, watch=scribble).labels == propose(problem).labels).all()


@pytest.mark.parametrize("wish", ["from scratch, lumpy", "from today"])
def test_a_stopped_run_ends_at_once_and_leaves_nothing_behind(wish):
    """Stopped at every place it can be stopped, it says nothing more; the next run is as if it had never been."""
    problem = wanted(wish)
    before = {field.name: getattr(problem, field.name) for field in fields(problem)}
    copies = {name: value.copy() for name, value in before.items() if isinstance(value, np.ndarray)}
    whole = Watch()
    found = propose(problem, watch=whole)
    for call in sorted({*range(1, min(len(whole.seen), 8)), len(whole.seen) // 2, len(whole.seen)}):
        watch = Watch(stop_after=call)
        with pytest.raises(StoppedError):
            propose(problem, watch=watch)
        assert watch.seen == whole.seen[:call]
    again = propose(problem)
    assert (again.labels == found.labels).all()
    assert again.cost == found.cost
    for name, copy in copies.items():
        assert (getattr(problem, name) == copy).all(), name
