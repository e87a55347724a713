"""The cheapest choice of columns that keeps to some limits, where most columns are of no use.

First the linear programme: its multipliers say how much dearer at least a choice gets that takes a column (reduced
costs). A choice among the columns that look best is an upper bound; what would cost more than that is left out for good
(reduced-cost fixing, Dantzig, Fulkerson and Johnson, Operations Research 2(4), 1954), and the rest is solved by HiGHS.
"""

from enum import Enum, auto

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csc_matrix

from services.assignment.design.engine.arrays import Flags, Floats, Integers

_FIRST = 400
_MOST = 4_000
_NODES = 200
_ALMOST = 1e-9
# As scipy says it.
_DONE, _INFEASIBLE = 0, 2


class Known(Enum):
    """What else than a choice may come of the search."""

    IMPOSSIBLE = auto()  # none keeps to the limits
    UNKNOWN = auto()  # none was found, with bounded effort


def cheapest_choice(cost: Floats, rows: csc_matrix, least: Floats, most: Floats) -> Integers | Known:
    """Return which of C columns to take, each once or not, so that rows @ taken is between least and most, at least cost.

    cost (C,), about 1 in size. rows (R, C). With too many columns of use, the best choice of the most promising ones.
    """
    relaxed = _relaxed(cost, rows, least, most)
    if relaxed.status == _INFEASIBLE:
        return Known.IMPOSSIBLE
    if relaxed.status != _DONE:
        return Known.UNKNOWN
    equal = least == most
    prices = np.zeros(len(least))
    prices[equal] = relaxed.eqlin.marginals
    prices[~equal] = relaxed.ineqlin.marginals
    dearer = cost - rows.T @ prices
    order = np.argsort(dearer, kind="stable")
    size = min(_FIRST, len(cost))
    while True:
        some = np.sort(order[:size])
        answer = _whole(cost[some], rows[:, some], least, most)
        if answer.x is not None:
            break
        if size >= min(_MOST, len(cost)):
            proven = answer.status == _INFEASIBLE and size == len(cost)
            return Known.IMPOSSIBLE if proven else Known.UNKNOWN
        size = min(4 * size, len(cost), _MOST)
    best: Integers = some[answer.x > 0.5]
    room = float(cost[best].sum()) - float(relaxed.fun)
    useful = np.flatnonzero(dearer <= room + _ALMOST)
    if size < len(useful) <= _MOST:
        again = _whole(cost[useful], rows[:, useful], least, most)
        if again.x is not None and again.fun < answer.fun:
            best = useful[again.x > 0.5]
    return best


def _relaxed(cost: Floats, rows: csc_matrix, least: Floats, most: Floats) -> OptimizeResult:
    equal: Flags = least == most
    return linprog(
        cost,
        rows[~equal] if (~equal).any() else None,
        most[~equal] if (~equal).any() else None,
        rows[equal],
        most[equal],
        bounds=(0, 1),
        method="highs",
    )


def _whole(cost: Floats, rows: csc_matrix, least: Floats, most: Floats) -> OptimizeResult:
    return milp(
        cost,
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, least, most),
        options={"node_limit": _NODES},
    )
