"""Gives territories drawn from scratch the names of today's, so that as little as possible moves. Pure.

An assignment problem (Kuhn, 1955): names go to territories one to one, with the largest value that stays. Territories
that were drawn for something of their own, such as a home or a capacity, trade names only with their equals.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from services.assignment.design.engine.arrays import Floats, Integers, Labels


def rename(labels: Labels, incumbents: Labels, value: Floats, alike: Integers) -> Integers:
    """Return the name, 0 to K - 1, that each drawn territory gets; shape (K,).

    labels (n,), incumbents (n,), -1 for none, value (n,): what a unit counts that stays. alike (K,): territories with
    the same number may trade names.
    """
    count = len(alike)
    known = incumbents >= 0
    pairs = labels[known].astype(np.int64) * count + incumbents[known]
    stays = np.bincount(pairs, value[known], count * count).reshape(count, count)
    names = np.arange(count)
    for number in np.unique(alike):
        members = np.flatnonzero(alike == number)
        drawn, named = linear_sum_assignment(stays[np.ix_(members, members)], maximize=True)
        names[members[drawn]] = members[named]
    return names


def alike(*traits: Floats) -> Integers:
    """Number territories by their traits, each of shape (K, anything): equal rows get equal numbers."""
    rows = np.column_stack([np.nan_to_num(trait, nan=1e308) for trait in traits])
    _, numbers = np.unique(rows, axis=0, return_inverse=True)
    return np.asarray(numbers, dtype=np.int64).reshape(-1)
