"""Names for territories drawn from scratch: as much as possible stays, and only equals trade names."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.names import alike, rename


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_no_other_names_keep_more(count: int, seed: int):
    dice = np.random.default_rng(seed)
    labels = dice.integers(0, count, 40).astype(np.int32)
    incumbents = dice.integers(-1, count, 40).astype(np.int32)
    value = dice.random(40)
    names = rename(labels, incumbents, value, np.zeros(count, np.int64))
    assert sorted(names) == list(range(count))
    kept = max(value[np.array(other)[labels] == incumbents].sum() for other in permutations(range(count)))
    assert np.isclose(value[names[labels] == incumbents].sum(), kept)


def test_what_is_drawn_for_a_home_keeps_its_name():
    labels, incumbents = np.array([0, 0, 1, 1], np.int32), np.array([1, 1, 0, 0], np.int32)
    ones = np.ones(4)
    homes = np.array([[1.0, 2.0], [np.nan, np.nan]])
    assert rename(labels, incumbents, ones, alike(np.ones((2, 1)))).tolist() == [1, 0]
    assert rename(labels, incumbents, ones, alike(np.ones((2, 1)), homes)).tolist() == [0, 1]


def test_those_without_a_home_are_alike():
    assert len(set(alike(np.full((3, 2), np.nan)).tolist())) == 1
