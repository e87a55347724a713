"""Reps and territories: the matching of least cost, against all matchings there are."""

from dataclasses import replace
from itertools import permutations
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.matching.matching import match_reps
from services.assignment.design.matching.question import Bond, Matching, Place, Question, Seat

SILENT = (frozenset[str](),)


def seat(number: int, **changed: Any) -> Seat:
    """Return a territory at one degree of longitude per number, whose rep lives in its middle."""
    plain = Seat(
        territory_id=UUID(int=number + 1),
        name=f"T{number}",
        capacity=1.0,
        middle=(0.0, float(number)),
        rep_id=UUID(int=number + 100),
        home=(0.0, float(number)),
        brings=SILENT,
    )
    return replace(plain, **changed)


def rep(number: int) -> UUID:
    """Return the rep of a seat."""
    return UUID(int=number + 100)


def taken(found: Matching) -> list[int]:
    """Return the seat whose rep gets each territory."""
    return [pair.seat for pair in found.best]


def apart(home: Place, middle: Place) -> float:
    """Return the great-circle distance in km (haversine)."""
    (a, b), (c, d) = home, middle
    chord = sin(radians(c - a) / 2) ** 2 + cos(radians(a)) * cos(radians(c)) * sin(radians(d - b) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(min(1.0, chord)))


def test_whoever_lives_there_gets_it_when_only_relocation_counts():
    homes = [(0.0, 2.0), (0.0, 0.0), (0.0, 1.0)]
    seats = tuple(seat(number, home=home) for number, home in enumerate(homes))
    found = match_reps(Question(seats=seats, bonds=(), relocation_weight=1.0))
    assert taken(found) == [1, 2, 0]
    assert found.best_sum.km == pytest.approx(0, abs=1e-6)
    assert found.named_sum.km == pytest.approx(4 * apart((0, 0), (0, 1)))
    assert found.best_sum.cost == pytest.approx(0, abs=1e-9)


def test_whoever_knows_its_accounts_gets_it_when_only_relationships_count():
    bonds = (Bond(rep(0), 1, 8.0), Bond(rep(1), 0, 5.0), Bond(rep(1), 1, 6.0), Bond(rep(2), 2, 1.0))
    seats = tuple(seat(number) for number in range(3))
    found = match_reps(Question(seats=seats, bonds=bonds, relocation_weight=0.0))
    assert taken(found) == [1, 0, 2]
    assert (found.best_sum.kept, found.best_sum.lost) == (14.0, 6.0)
    assert (found.named_sum.kept, found.named_sum.lost) == (7.0, 13.0)


def test_what_costs_the_same_stays_as_it_is():
    seats = tuple(seat(number, home=None) for number in range(4))
    found = match_reps(Question(seats=seats, bonds=(), relocation_weight=0.5))
    assert taken(found) == [0, 1, 2, 3]
    assert [pair.km for pair in found.best] == [None] * 4
    assert (found.best_sum.cost, found.named_sum.cost) == (0.0, 0.0)


def test_part_time_reps_take_part_time_territories():
    seats = (
        seat(0, home=(0.0, 1.0)),
        seat(1, home=(0.0, 3.0), capacity=0.5),
        seat(2, home=(0.0, 1.0), capacity=0.5),
    )
    found = match_reps(Question(seats=seats, bonds=(), relocation_weight=1.0))
    assert taken(found) == [0, 2, 1]


def test_a_vacant_territory_is_taken_and_another_left():
    """Nobody covers the first, whose accounts are the second's rep's; that one takes it, and leaves the own one vacant."""
    seats = (seat(0, rep_id=None, home=None), seat(1))
    found = match_reps(Question(seats=seats, bonds=(Bond(rep(1), 0, 9.0),), relocation_weight=0.0))
    assert taken(found) == [1, 0]
    assert (found.best_sum.lost, found.named_sum.lost) == (0.0, 9.0)


def test_who_covers_two_territories_keeps_an_account_in_either():
    seats = (seat(0), seat(1, rep_id=rep(0)))
    bonds = (Bond(rep(0), 0, 3.0), Bond(rep(0), 1, 4.0))
    found = match_reps(Question(seats=seats, bonds=bonds, relocation_weight=0.0))
    assert (found.named_sum.kept, found.named_sum.lost) == (7.0, 0.0)


def test_nobody_takes_a_territory_whose_rep_brings_what_they_do_not():
    german, both = (frozenset({"de"}),), (frozenset({"de", "fr"}),)
    seats = (seat(0, home=(0.0, 1.0), brings=german), seat(1, home=(0.0, 0.0), brings=both))
    found = match_reps(Question(seats=seats, bonds=(), relocation_weight=1.0))
    assert taken(found) == [0, 1]
    alike = (replace(seats[0], brings=both), seats[1])
    assert taken(match_reps(Question(seats=alike, bonds=(), relocation_weight=1.0))) == [1, 0]
    # Silence is no misfit: it meets everything, and only silence meets what is asked of it.
    silent = (replace(seats[0], brings=SILENT), seats[1])
    assert taken(match_reps(Question(seats=silent, bonds=(), relocation_weight=1.0))) == [0, 1]


def test_a_home_that_is_not_known_makes_the_others_no_heavier():
    """Two live a degree from either territory: their average is a degree, however many others live nobody knows where."""
    near = (seat(0, home=(1.0, 0.0), middle=(0.0, 0.0)), seat(1, home=(-1.0, 0.0), middle=(0.0, 0.0)))
    vacant = tuple(seat(number, rep_id=None, home=None, middle=(0.0, 0.0)) for number in (2, 3))
    found = match_reps(Question(seats=near + vacant, bonds=(), relocation_weight=1.0))
    # Two of four territories, each at the average.
    assert found.named_sum.cost == pytest.approx(0.5)


@given(st.data(), st.integers(1, 5), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_no_matching_costs_less(data: st.DataObject, count: int, weight: float):
    """All matchings, each worked out the plain way."""
    place = st.none() | st.tuples(st.floats(-60, 60), st.floats(-170, 170))
    seats = tuple(
        seat(
            number,
            home=data.draw(place),
            middle=data.draw(place),
            capacity=data.draw(st.sampled_from([0.5, 1.0])),
            rep_id=data.draw(st.sampled_from([None, rep(number), rep(0)])),
        )
        for number in range(count)
    )
    bonds = tuple(
        Bond(rep(one), territory, data.draw(st.floats(0, 100)))
        for one in range(count)
        for territory in range(count)
    )
    found = match_reps(Question(seats=seats, bonds=bonds, relocation_weight=weight))
    all_of = [sum(bond.amount for bond in bonds if bond.territory == number) for number in range(count)]

    def known(one: int, other: int) -> float | None:
        home, middle = seats[one].home, seats[other].middle
        return None if home is None or middle is None else apart(home, middle)

    def km(one: int, other: int) -> float:
        return known(one, other) or 0.0

    def lost(one: int, other: int) -> float:
        mine = sum(b.amount for b in bonds if b.territory == other and b.rep_id == seats[one].rep_id)
        return all_of[other] - mine

    pairs = [
        (one, other)
        for one in range(count)
        for other in range(count)
        if seats[one].capacity == seats[other].capacity
    ]
    amounts = [[one for pair in pairs if (one := part(*pair)) is not None] for part in (known, lost)]
    scale = [sum(each) / max(len(each), 1) * count for each in amounts]

    def cost(order: tuple[int, ...]) -> float:
        each = list(enumerate(order))
        near = sum(km(one, other) for other, one in each) / scale[0] if scale[0] else 0.0
        kept = sum(lost(one, other) for other, one in each) / scale[1] if scale[1] else 0.0
        return weight * near + (1 - weight) * kept

    may = set(pairs)
    least = min(
        cost(order)
        for order in permutations(range(count))
        if all((one, other) in may for other, one in enumerate(order))
    )
    best = tuple(taken(found))
    assert all((one, other) in may for other, one in enumerate(best))
    assert cost(best) == pytest.approx(least, abs=1e-9)
    assert found.best_sum.cost == pytest.approx(least, abs=1e-9)
    assert found.named_sum.cost == pytest.approx(cost(tuple(range(count))), abs=1e-9)
    assert found.best_sum.lost == pytest.approx(sum(lost(one, other) for other, one in enumerate(best)))
    assert found.best_sum.km == pytest.approx(sum(km(one, other) for other, one in enumerate(best)))
    assert found.best_sum.kept + found.best_sum.lost == pytest.approx(sum(all_of))
