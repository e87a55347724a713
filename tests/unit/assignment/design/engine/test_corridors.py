"""A unit amid a territory that may not have it, and the way that is cut to it."""

import numpy as np
import pytest

from services.assignment.design.engine.corridors import with_corridors
from services.assignment.design.engine.linking import adjacency_of
from services.assignment.design.engine.scaled import scaled
from services.assignment.design.engine.solving import propose
from tests.unit.assignment.design.engine.problems import plain
from tests.unit.assignment.design.engine.test_limits import check

FREE = plain(600, 6, 4)


@pytest.mark.parametrize("territory", range(6))
@pytest.mark.parametrize("stay", [0.0, 1.0])
def test_who_is_forbidden_in_the_midst_of_a_territory_is_reached_by_another(territory, stay):
    today = propose(FREE)
    amid = int(np.argmin(((FREE.xy - today.centres[territory]) ** 2).sum(axis=1)))
    kinds = np.zeros(600, np.int32)
    kinds[amid] = 1
    permitted = np.ones((2, 6), np.bool_)
    permitted[1, territory] = False
    problem = plain(600, 6, 4, kinds=kinds, permitted=permitted, incumbents=today.labels, stay=stay)
    found = propose(problem)
    check(problem, found)
    assert found.feasible, found.why
    assert found.labels[amid] != territory


def test_no_way_is_cut_that_parts_who_gives_it():
    """The way to the last unit leads over the hub of a star: two of its ends would be parted. A link between them mends that."""
    kinds = np.array([0, 0, 0, 0, 0, 1], np.int32)
    permitted = np.array([[True, True], [False, True]])
    labels = np.array([1, 0, 0, 0, 0, 1], np.int32)
    star = [(0, 1), (1, 2), (2, 3), (2, 4), (2, 5)]
    for links, after in ((star, labels.tolist()), ([*star, (3, 4)], [1, 1, 1, 0, 0, 1])):
        adjacency = adjacency_of(np.array(links, np.int32), 6)
        problem = plain(6, 2, adjacency=adjacency, kinds=kinds, permitted=permitted)
        movable = np.ones(6, np.bool_)
        found = with_corridors(adjacency, scaled(problem).units, labels, permitted, movable)
        assert found.tolist() == after
