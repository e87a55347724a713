"""One rep more, one rep fewer: balanced again, near the change, and everything else as it was."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.assignment.design.engine import what_if as module
from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem, WrongProblemError
from services.assignment.design.engine.proposal import Stage, StoppedError
from services.assignment.design.engine.solving import propose
from services.assignment.design.engine.what_if import WhatIf, one_fewer, one_more, what_if
from tests.unit.assignment.design.engine import recheck
from tests.unit.assignment.design.engine.problems import plain, problems

# Balanced to 2 % and asked to keep to 6 %: what is far from a change stays in its band.
GOOD = plain(1_500, 15, 3, tolerance=0.02)
ROOMY = replace(GOOD, tolerance=np.array([0.09]))


@pytest.fixture(scope="module")
def stands() -> Labels:
    """A plan that is balanced, and whole."""
    return propose(GOOD).labels


def check(problem: Problem, before: Labels, found: WhatIf) -> None:
    """Work out again what is told of the labels, and whether each may be."""
    labels = found.labels
    assert ((labels >= 0) & (labels < problem.territories)).all()
    np.testing.assert_allclose(found.loads, recheck.loads(problem, labels), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.deviation, recheck.deviation(problem, labels), rtol=1e-9, atol=1e-9)
    if problem.fixed is not None:
        held = problem.fixed >= 0
        assert (labels[held] == problem.fixed[held]).all()
    if problem.kinds is not None and problem.permitted is not None:
        assert problem.permitted[problem.kinds, labels].all()
    if problem.adjacency is not None:
        assert found.parts.tolist() == recheck.parts(problem.adjacency, labels, problem.territories).tolist()
    gone = labels != before
    assert found.moved_units == (gone & (before >= 0)).sum()
    assert set(found.touched) == set(labels[gone]) | set(before[gone & (before >= 0)])
    away = np.abs(recheck.loads(problem, labels) / recheck.targets(problem) - 1)
    hard = np.ones(away.shape[1], bool) if problem.soft is None else ~problem.soft
    assert set(found.off) == set(np.flatnonzero((away > problem.tolerance + 1e-6)[:, hard].any(axis=1)))
    middle = np.full((problem.territories, 2), np.nan)
    for territory in set(labels.tolist()):
        mine = labels == territory
        # Where nothing weighs anything, no distance counts, from wherever it is measured.
        heavy = problem.weight[mine] + 1e-300
        middle[territory] = np.average(problem.xy[mine], axis=0, weights=heavy)
    km = (problem.weight * recheck.distances(problem, labels, middle)).sum() / problem.weight.sum()
    assert found.mean_km == pytest.approx(km, rel=1e-6)


def check_good(problem: Problem, before: Labels, found: WhatIf) -> None:
    """Work out again that all limits hold."""
    check(problem, before, found)
    assert not recheck.broken(problem, found.labels)
    assert found.off == ()


def test_one_more_fills_a_new_territory_and_leaves_the_rest(stands):
    problem, found = one_more(ROOMY, stands)
    check_good(problem, stands, found)
    assert problem.territories == 16
    assert 15 in found.touched
    assert len(found.touched) < 12
    rest = ~np.isin(stands, found.touched)
    assert rest.any()
    assert (found.labels[rest] == stands[rest]).all()


@pytest.mark.parametrize("leaves", [0, 7, 14])
def test_one_fewer_is_taken_over_by_those_around_and_leaves_the_rest(stands, leaves):
    problem, found = one_fewer(ROOMY, stands, leaves)
    before = np.where(stands == leaves, -1, stands - (stands > leaves)).astype(np.int32)
    check_good(problem, before, found)
    assert problem.incumbents is not None
    assert (problem.incumbents == before).all()
    rest = (before >= 0) & ~np.isin(before, found.touched)
    assert rest.any()
    assert (found.labels[rest] == before[rest]).all()


@pytest.mark.parametrize("more", [True, False])
def test_it_moves_about_as_little_as_realigning_and_travels_about_as_far(stands, more):
    problem, found = one_more(GOOD, stands) if more else one_fewer(GOOD, stands, 7)
    assert problem.incumbents is not None
    check_good(problem, problem.incumbents, found)
    whole = propose(replace(problem, stay=1.0))
    assert found.moved <= 1.5 * whole.moved
    assert found.mean_km <= 1.15 * whole.mean_km


def test_nothing_that_is_new_or_gone_changes_nothing(stands):
    found = what_if(GOOD, stands)
    assert found.labels.tolist() == stands.tolist()
    assert (found.touched, found.moved_units, found.moved) == ((), 0, 0.0)


def test_what_was_out_of_balance_far_away_stays_so():
    """Three towns a long way apart: the first is badly shared out, and the third gets a rep more."""
    dice = np.random.default_rng(4)
    towns = [
        dice.uniform(0, 50, (size, 2)) + np.array([east, 0])
        for size, east in ((400, 0), (400, 400), (600, 800))
    ]
    labels = np.concatenate(
        [
            2 * number + (town[:, 0] > 400 * number + border)
            for number, (town, border) in enumerate(zip(towns, (14, 25, 25), strict=True))
        ]
    ).astype(np.int32)
    xy = np.vstack(towns)
    problem = Problem(
        xy=xy,
        weight=np.ones(1_400),
        measures=np.ones((1_400, 1)),
        targets=np.ones((6, 1)),
        tolerance=np.array([0.1]),
        adjacency=neighbours(xy),
    )
    after, found = one_more(problem, labels, home=np.array([825.0, 25.0]))
    check(after, labels, found)
    assert found.off == (0, 1)
    assert (found.labels[:800] == labels[:800]).all()
    assert set(found.labels[800:]) == {4, 5, 6}


def test_a_watcher_is_shown_whole_plans_alone(stands):
    shown: list[Labels] = []

    def watch(_stage: Stage, share: float, labels: Labels | None) -> None:
        assert 0 <= share <= 1
        if labels is not None:
            shown.append(labels)

    _, found = one_more(ROOMY, stands, watch=watch)
    assert shown
    assert all(labels.shape == stands.shape for labels in shown)
    assert shown[-1].tolist() == found.labels.tolist()


def test_stopped_among_the_places_it_tells_the_best_until_then(stands, monkeypatch):
    problem, calls = replace(ROOMY, targets=np.ones((16, 1))), 0

    def count(_stage: Stage, _share: float, _labels: Labels | None) -> None:
        nonlocal calls
        calls += 1
        if calls == most:
            raise StoppedError

    most = -1
    monkeypatch.setattr(module, "_MOST_TRIED", 1)
    first = what_if(problem, stands, watch=count)
    calls, most = 0, calls + 3
    monkeypatch.undo()
    found = what_if(problem, stands, watch=count)
    assert calls == most
    assert found.labels.tolist() == first.labels.tolist()


def test_a_watcher_stops_it(stands):
    def watch(_stage: Stage, _share: float, _labels: Labels | None) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        one_fewer(ROOMY, stands, 3, watch=watch)


def test_a_home_says_where(stands):
    home = np.array([90.0, 10.0])
    problem, found = one_more(ROOMY, stands, home=home)
    check_good(problem, stands, found)
    middle = GOOD.xy[found.labels == 15].mean(axis=0)
    assert np.hypot(*(middle - home)) < 25


def test_a_target_of_its_own(stands):
    problem, found = one_more(ROOMY, stands, np.array([0.5]))
    check_good(problem, stands, found)
    assert found.loads[15, 0] < 0.6 * found.loads[:15, 0].mean()


def test_several_at_once(stands):
    """Two leave and three come."""
    labels = np.where(np.isin(stands, [2, 9]), -1, stands).astype(np.int32)
    problem = replace(ROOMY, targets=np.ones((16, 1)), tolerance=np.array([0.1]))
    found = what_if(problem, labels)
    check_good(problem, labels, found)
    assert {2, 9, 15} <= set(found.touched)


def test_from_one_to_two_and_back():
    one = plain(300, 1, 5)
    problem, found = one_more(one, np.zeros(300, np.int32))
    check_good(problem, np.zeros(300, np.int32), found)
    back, single = one_fewer(problem, found.labels, 0)
    assert back.territories == 1
    assert (single.labels == 0).all()
    with pytest.raises(WrongProblemError, match="no territories"):
        one_fewer(back, single.labels, 0)


def test_a_landlocked_one_leaves():
    """A ring of eight around one in the middle."""
    xy = np.column_stack(np.divmod(np.arange(900), 30)) * 1.0
    labels = ((xy[:, 0] // 10) * 3 + xy[:, 1] // 10).astype(np.int32)
    problem = plain(900, 9, xy=xy, weight=np.ones(900), measures=np.ones((900, 1)), tolerance=0.06)
    after, found = one_fewer(problem, labels, 4)
    assert after.incumbents is not None
    check_good(after, after.incumbents, found)


def test_islands_that_nobody_reaches_are_told():
    """Two islands without a link: a rep more on one cannot relieve the other."""
    west, east = np.random.default_rng(1).uniform(0, 50, (2, 200, 2))
    links = [neighbours(west), neighbours(east)]
    adjacency = Adjacency(
        np.concatenate([links[0].starts, links[0].starts[-1] + links[1].starts[1:]]),
        np.concatenate([links[0].targets, links[1].targets + 200]).astype(np.int32),
    )
    xy = np.vstack([west, east + np.array([300, 0])])
    labels = np.concatenate([west[:, 0] > 25, 2 + (east[:, 0] > 25)]).astype(np.int32)
    problem = Problem(
        xy=xy,
        weight=np.ones(400),
        measures=np.ones((400, 1)),
        targets=np.ones((4, 1)),
        tolerance=np.array([0.15]),
        adjacency=adjacency,
    )
    after, found = one_more(problem, labels)
    check(after, labels, found)
    assert (found.parts == 1).all()
    assert found.off
    assert len({bool(x > 150) for x in xy[found.labels == 4, 0]}) == 1


def test_who_is_fixed_stays_and_who_was_fixed_to_the_leaver_is_free(stands):
    held = np.arange(1_500) % 50 == 0
    fixed = np.where(held, stands, -1).astype(np.int32)
    problem, found = one_fewer(replace(ROOMY, fixed=fixed), stands, 7)
    assert problem.fixed is not None
    assert problem.incumbents is not None
    check_good(problem, problem.incumbents, found)
    assert ((stands == 7) & held).any()


def test_a_new_rep_who_may_not_hold_all_gets_what_may_be(stands):
    kinds = (np.arange(1_500) % 20 == 0).astype(np.int32)
    permitted = np.ones((2, 16), np.bool_)
    permitted[1, 15] = False
    problem = replace(ROOMY, targets=np.ones((16, 1)), kinds=kinds, permitted=permitted, adjacency=None)
    found = what_if(problem, stands)
    check_good(problem, stands, found)
    assert (kinds[found.labels == 15] == 0).all()


def test_what_only_the_leaver_may_hold_is_refused(stands):
    permitted = np.ones((2, 15), np.bool_)
    permitted[1, :14] = False
    kinds = (stands == 14).astype(np.int32)
    with pytest.raises(WrongProblemError, match="no territory may hold"):
        one_fewer(replace(ROOMY, kinds=kinds, permitted=permitted), stands, 14)


@pytest.mark.parametrize("seed", range(8))
def test_who_was_out_of_tolerance_before_is_not_further_out(seed):
    """Work has drifted since the territories were drawn: half of them are out, and a rep comes to the fullest."""
    dice = np.random.default_rng(seed)
    before = propose(plain(900, 15, seed, tolerance=0.02)).labels
    grown = dice.uniform(0.75, 1.25, 15)[before] * dice.uniform(0.9, 1.1, 900)
    problem = plain(900, 15, seed, tolerance=0.1, measures=grown[:, None])
    fullest = int(np.argmax(np.bincount(before, grown)))
    after, found = one_more(problem, before, home=problem.xy[before == fullest].mean(axis=0))
    was = np.append(recheck.loads(after, before)[:15, 0], 0) / recheck.targets(after)[:, 0] - 1
    now = recheck.loads(after, found.labels)[:, 0] / recheck.targets(after)[:, 0] - 1
    # Beyond doubt: their targets were larger by a sixteenth.
    out = np.abs(was[:15]) > 0.18
    still = np.flatnonzero(out & (np.abs(now[:15]) > 0.1 + 1e-6))
    assert out.any()
    for territory in still:
        assert np.sign(now[territory]) == np.sign(was[territory])
        assert abs(now[territory]) <= abs(was[territory]) + 1e-9


def test_a_new_territory_that_may_get_nothing_stays_empty(stands):
    problem = replace(ROOMY, targets=np.ones((16, 1)), fixed=stands)
    found = what_if(problem, stands)
    check(problem, stands, found)
    assert found.labels.tolist() == stands.tolist()
    assert 15 in found.off


def test_several_places_are_tried_and_the_best_one_is_told(stands):
    shown: list[Labels] = []

    def watch(_stage: Stage, _share: float, labels: Labels | None) -> None:
        if labels is not None:
            shown.append(labels)

    problem = replace(ROOMY, targets=np.ones((16, 1)))
    found = what_if(problem, stands, watch=watch)
    # The new territory has been elsewhere in between: what is shown is the best so far, of places far from each other.
    places = [ROOMY.xy[labels == 15].mean(axis=0) for labels in shown]
    assert any(np.hypot(*(place - places[-1])) > 50 for place in places)
    assert shown[-1].tolist() == found.labels.tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full(1_500, -1), "no plan to begin with"),
        (np.full(1_500, 15), "that there are not"),
        (np.zeros(3), "shape"),
    ],
)
def test_labels_that_make_no_sense_are_refused(labels, message):
    with pytest.raises(WrongProblemError, match=message):
        what_if(GOOD, labels.astype(np.int32))


@settings(max_examples=25, phases=[Phase.generate])
@given(problems(most_units=80), st.integers(0, 2**32))
def test_whatever_is_asked_what_is_told_is_true(problem, seed):
    dice = np.random.default_rng(seed)
    labels = dice.integers(-1, problem.territories, problem.units).astype(np.int32)
    if not _stands(problem, labels):
        with pytest.raises(WrongProblemError, match="no plan to begin with"):
            what_if(problem, labels)
    else:
        check(problem, labels, what_if(problem, labels))


def _stands(problem: Problem, labels: Labels) -> bool:
    """Tell whether some unit is where it may be, or has to be."""
    fixed = np.full(problem.units, -1) if problem.fixed is None else problem.fixed
    if problem.permitted is None or problem.kinds is None:
        return bool(((labels >= 0) | (fixed >= 0)).any())
    return bool((((labels >= 0) & problem.permitted[problem.kinds, labels]) | (fixed >= 0)).any())


# Prints a digest of what one more and one fewer come to.
PROGRAM = """
import hashlib
import numpy as np
from services.assignment.design.engine.compiling import threads
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.proposal import Stage, StoppedError
from services.assignment.design.engine.solving import propose
from services.assignment.design.engine.what_if import one_fewer, one_more
xy = np.random.default_rng(0).normal(0, 30, (12_000, 2))
problem = Problem(
    xy=xy, weight=np.ones(12_000), measures=np.ones((12_000, 1)), targets=np.ones((12, 1)),
    tolerance=np.array([0.05]), adjacency=neighbours(xy),
)
labels = propose(problem, Effort(starts=1, rounds=4)).labels
digest = hashlib.sha256()
for _ in range(2):
    for _, found in (one_more(problem, labels), one_fewer(problem, labels, 3)):
        assert found.off == ()
        digest.update(found.labels.tobytes() + repr((found.mean_km, found.moved)).encode())
    print(threads(), digest.hexdigest())
"""


def test_one_thread_and_two_give_the_same_bits():
    said = []
    for threads in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"NUMBA_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stdout.split())
    assert [one[0] for one in said] == ["1", "2"]
    assert said[0][1::2] == said[1][1::2]
