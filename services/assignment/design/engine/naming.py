"""Which of the territories found gets which name, so that as little as possible changes hands."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from services.assignment.design.engine.arrays import Integers, Labels
from services.assignment.design.engine.scaled import Scaled

# What all units together add to what moving them counts, whose mean is 1 each.
_EACH = 1e-3
_ALIKE = 1e-12


def names(labels: Labels, scaled: Scaled) -> Labels:
    """Return the name of each territory that was found, shape (K,): that of today's where most of it lies.

    Only territories that are asked the same may change names: target, who may be in it, no home that pulls, nothing fixed.
    """
    owner, territories = scaled.units.owner, scaled.territories
    name = np.arange(territories, dtype=np.int32)
    known = owner >= 0
    if not known.any():
        return name
    key = labels[known].astype(np.int64) * territories + owner[known]
    # Where units count alike, or for nothing, their number decides.
    counts = scaled.move_value[known] + _EACH / len(key)
    shared = np.bincount(key, counts, territories * territories).reshape(territories, territories)
    for group in alike(scaled):
        mine = shared[np.ix_(group, group)]
        rows, columns = linear_sum_assignment(mine, maximize=True)
        if mine[rows, columns].sum() > mine.trace() * (1 + _ALIKE):
            name[group[rows]] = group[columns]
    return name


def alike(scaled: Scaled) -> list[Integers]:
    """Return groups of territories that are asked the same, so that any of a group may have another's units."""
    territories = scaled.territories
    pulled = ~np.isnan(scaled.homes[:, 0]) & (scaled.pull > 0)
    alone = pulled | np.isin(np.arange(territories), scaled.fixed)
    asked = np.column_stack(
        [scaled.band.low, scaled.band.high, scaled.permitted.T, np.where(alone, np.arange(territories), -1)]
    ).round(12)
    _, group = np.unique(asked, axis=0, return_inverse=True)
    return [np.flatnonzero(group.ravel() == number) for number in range(int(group.max()) + 1)]
