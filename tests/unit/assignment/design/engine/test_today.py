"""From today's territories: what is good stays, what has to move moves, and no more than may."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from services.assignment.design.engine.arrays import Labels
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Reason
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine.problems import plain
from tests.unit.assignment.design.engine.test_limits import check

GOOD = plain(400, 6, 2)


@pytest.fixture(scope="module")
def good() -> Labels:
    """Territories that were proposed for the same units."""
    return propose(GOOD).labels


def drifted(good: Labels, share: float) -> Problem:
    """Return the problem some time later: a corner has grown by this share."""
    grown = GOOD.measures * np.where((GOOD.xy < 45).all(axis=1), 1 + share, 1.0)[:, None]
    return plain(400, 6, 2, measures=grown, incumbents=good)


@pytest.mark.parametrize("stay", [1.0, 1e3, 1e9])
def test_a_good_plan_stays_as_it_is(good, stay):
    problem = plain(400, 6, 2, incumbents=good, stay=stay)
    found = propose(problem)
    check(problem, found)
    assert found.moved_units == 0
    assert found.feasible
    assert set(found.reasons) <= {Reason.NEAREST, Reason.STAYS}


def test_a_budget_of_nothing_moves_nothing(good):
    problem = plain(400, 6, 2, incumbents=good, most_moved=0.0)
    found = propose(problem)
    check(problem, found)
    assert found.moved == 0.0
    assert found.feasible


def test_what_cannot_be_had_within_the_budget_is_told(good):
    problem = plain(400, 6, 2, incumbents=np.where(good < 3, 0, good).astype(np.int32), most_moved=0.0)
    found = propose(problem)
    check(problem, found)
    assert not found.feasible
    assert found.why


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("most", [0.05, 0.12, 0.3])
def test_a_budget_is_kept(good, share, most):
    later = drifted(good, share)
    problem = plain(400, 6, 2, measures=later.measures, incumbents=good, most_moved=most)
    found = propose(problem)
    check(problem, found)
    assert found.moved <= most
    assert found.feasible or found.least_moved[0] > most / 2


def test_a_dearer_move_is_made_less_often(good):
    later = drifted(good, 1.0)
    moved = []
    for stay in (0.0, 0.02, 0.2, 2.0):
        found = propose(plain(400, 6, 2, measures=later.measures, incumbents=good, stay=stay))
        assert found.feasible
        assert found.moved >= found.least_moved[0] / 3
        moved.append(found.moved)
    assert moved[1] >= moved[2] >= moved[3]
    assert moved[3] < 0.5 * moved[0]


@pytest.mark.parametrize("seed", [1, 3])
def test_at_its_price_of_a_move_a_plan_is_better_than_those_of_other_prices(seed):
    """Towns of accounts of all sizes, some shrunk: balance by prices alone would move the large ones from all over."""
    later = shrunk_towns(seed)
    owner = later.incumbents
    middles = np.array(
        [np.average(later.xy[owner == j], axis=0, weights=later.weight[owner == j]) for j in range(10)]
    )
    today = (later.weight * ((later.xy - middles[owner]) ** 2).sum(axis=1)).mean()
    plans = {stay: propose(replace(later, stay=stay)) for stay in (1.6, 6.4, 25.6)}
    for stay, mine in plans.items():
        assert mine.feasible
        worth = {other: found.cost + stay * today * found.moved_units for other, found in plans.items()}
        assert worth[stay] <= 1.02 * min(worth.values())


def shrunk_towns(seed: int) -> Problem:
    """Return accounts in towns a year after they were put into ten territories: those of a corner are half as large."""
    random = np.random.default_rng(seed)
    towns = random.uniform(0, 100, (60, 2))
    xy = towns[random.integers(0, 60, 1500)] + random.normal(0, 4, (1500, 2))
    size = random.lognormal(0, 1, 1500)
    then = plain(1500, 10, xy=xy, weight=size, measures=size[:, None])
    now = size * np.where((xy < 40).all(axis=1), 0.5, 1.0) * random.lognormal(0, 0.15, 1500)
    return replace(then, weight=now, measures=now[:, None], incumbents=propose(then).labels)


def test_what_is_worth_more_stays_sooner(good):
    """Of units alike in all else those move that count less."""
    later = drifted(good, 0.5)
    value = np.where(np.arange(400) % 2 == 0, 5.0, 0.2)
    found = propose(plain(400, 6, 2, measures=later.measures, incumbents=good, stay=3.0, move_value=value))
    gone = found.labels != good
    assert found.feasible
    assert gone[1::2].sum() > 2 * gone[::2].sum()


def test_nobody_s_units_are_put_where_they_fit(good):
    some = np.where(np.arange(400) % 4 == 0, -1, good).astype(np.int32)
    problem = plain(400, 6, 2, incumbents=some, stay=1.0)
    found = propose(problem)
    check(problem, found)
    assert found.feasible
    assert found.moved < 0.02


@pytest.mark.parametrize("field", [{"stay": 0.5}, {"most_moved": 0.2}])
def test_without_any_of_today_s_it_is_a_plan_from_scratch(field):
    found = propose(plain(400, 6, 2, incumbents=np.full(400, -1, np.int32), **field))
    assert found.feasible
    assert found.cost == pytest.approx(propose(GOOD).cost, rel=0.02)
    assert (found.moved, found.moved_units) == (0.0, 0)


def test_a_plan_from_scratch_is_named_after_today_s(good):
    """The same map under other names would move everybody."""
    order = np.array([3, 5, 0, 1, 2, 4], np.int32)
    found = propose(plain(400, 6, 2, incumbents=order[good]))
    assert found.moved < 0.1
    assert (found.labels == order[good]).mean() > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_names_are_such_that_no_others_would_move_fewer(seed):
    """Large units: territories are cut anew again and again, which mixes up the names they began with."""
    lumps = np.random.default_rng(seed).lognormal(0, 1.1, (240, 1))
    today = propose(plain(240, 12, seed, measures=np.ones((240, 1)))).labels
    found = propose(plain(240, 12, seed, measures=lumps, incumbents=today))
    shared = np.zeros((12, 12))
    np.add.at(shared, (found.labels, today), 1)
    best = shared[linear_sum_assignment(shared, maximize=True)].sum()
    assert found.moved_units == 240 - best


@pytest.mark.parametrize("seed", [0, 1, 7, 11])
def test_territories_whose_units_count_for_nothing_keep_their_names(seed):
    """Prospects have no revenue: by that alone their territories could swap names for nothing."""
    dice = np.random.default_rng(seed)
    today = propose(plain(400, 6, seed)).labels
    value = np.where(np.isin(today, [1, 3, 4]), 0.0, dice.random(400))
    grown = dice.uniform(0.8, 1.2, 6)[today]
    problem = plain(400, 6, seed, measures=grown[:, None], incumbents=today, move_value=value, stay=1.0)
    assert propose(problem).moved_units < 60


@pytest.mark.parametrize("more", [1, 2])
def test_new_reps_get_territories_of_their_own(good, more):
    problem = plain(400, 6 + more, 2, incumbents=good, stay=0.2)
    found = propose(problem)
    check(problem, found)
    assert found.feasible
    assert found.least_moved[0] - 1e-9 <= found.moved * 1.5
    assert found.moved < 0.5


def test_who_leaves_is_followed_by_the_neighbours(good):
    left = np.where(good == 5, -1, good).astype(np.int32)
    problem = plain(400, 5, 2, incumbents=left, stay=0.2)
    found = propose(problem)
    check(problem, found)
    assert found.feasible
    assert found.moved < 0.35


def test_who_may_no_longer_hold_a_unit_gives_it_away(good):
    """A certification that lapsed: the unit goes, whatever a move costs."""
    kinds = (np.arange(400) % 40 == 0).astype(np.int32)
    permitted = np.array([[True] * 6, [True, True, True, False, True, True]])
    problem = plain(400, 6, 2, incumbents=good, stay=50.0, kinds=kinds, permitted=permitted, whole=False)
    assert ((good == 3) & (kinds == 1)).any()
    found = propose(problem)
    check(problem, found)
    assert found.feasible
