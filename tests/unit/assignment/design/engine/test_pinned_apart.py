"""A unit that has to be apart from its territory breaks no rule; one that does not have to does."""

import numpy as np
import pytest

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.judging import judged
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.short_of import ShortOf

# Units 0 and 1 touch, and 2 and 3; territory 0 has 0, 1 and 2.
TWO_PAIRS = Adjacency(np.array([0, 1, 2, 3, 4]), np.array([1, 0, 3, 2], np.int32))


@pytest.mark.parametrize(
    ("fixed", "told"),
    [
        ([-1, -1, 0, 1], False),
        ([0, -1, -1, 1], True),
        ([-1, -1, -1, 1], True),
        ([0, 0, 0, 1], False),
    ],
)
def test_parts_in_which_a_unit_has_to_be_are_not_told(fixed, told):
    problem = Problem(
        xy=np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0], [10.0, 0.0]]),
        weight=np.ones(4),
        measures=np.ones((4, 1)),
        targets=np.array([[3.0], [1.0]]),
        tolerance=np.array([0.05]),
        adjacency=TWO_PAIRS,
        fixed=np.array(fixed),
    )
    found = judged(problem, np.array([0, 0, 0, 1], np.int32))
    assert found.parts.tolist() == [2, 1]
    assert [one.territories for one in found.why if one.code is ShortOf.IN_PARTS] == ([(0,)] if told else [])
