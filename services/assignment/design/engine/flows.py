"""How much has to go from territory to territory until every load is in its band: a linear program over neighbours.

The border between two territories moves into the one that gives; the more it gives, the dearer what comes next. Nobody
who is in balance and on nobody's way is asked for anything, so a change in one place stays near it. Source: diffusive load
balancing over the graph of parts (Ou and Ranka, Parallel incremental graph partitioning, IEEE TPDS 8(8), 1997), there by
counts, here by travel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix

from services.assignment.design.engine.arrays import Flags, Floats, Integers
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.standing import Standing

# How much of a territory may go over one border, in steps of which each next one is dearer; and over all of them.
_STEPS = (0.04, 0.12, 0.34)
_MOST_GIVEN = 0.9
# What is out of its band counts as much as this many of the dearest steps; a soft measure less than one.
_HARD, _SOFT = 8.0, 0.5
# Who is relieved is worth so many ways over the cheapest border.
_ONCE = 2.5
# What a step costs at least, as a share of `stay`: nobody is to move for travel alone.
_LEAST = 0.05
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Flows:
    """givers, takers, amounts (F,): what goes where; cost of it all, in scaled weight times squared km."""

    givers: Integers
    takers: Integers
    amounts: Floats
    cost: float


def flows(
    plan: Standing, band: Band, hard: Flags, may: Flags, stay: float, relieved: Flags | None = None
) -> Flows:
    """Return what has to go from where to where, in what the mean territory holds 1 of.

    band (K, A); hard (A,). may (K, K): who may give to whom. stay: what it costs to take one of that over a border,
    whichever. relieved (K,): who is brought into the band if a neighbour can do so, and else is left. What cannot be had
    within the steps stays out of the band.
    """
    giver, taker = np.nonzero((plan.touching > 0) & may & (plan.amount[:, None] > 0))
    if not len(giver):
        none = np.empty(0, np.int64)
        return Flows(none, none, np.empty(0), 0.0)
    territories, columns = plan.loads.shape
    cost, most = _steps(plan, giver, taker, stay)
    steps, slacks = len(cost), territories * columns
    dear = np.repeat(float(cost.max()) * np.where(hard, _HARD, _SOFT), territories)
    slack = np.full(2 * slacks, np.inf)
    if relieved is not None:
        once = np.full(territories, np.inf)
        np.minimum.at(once, giver, cost[: len(giver)])
        np.minimum.at(once, taker, cost[: len(giver)])
        dear = np.where(np.tile(relieved, columns), np.minimum(dear, np.tile(_ONCE * once, columns)), dear)
        # Left as far out as it is, and not further: that would be as dear as for anybody.
        worse = np.maximum(np.concatenate([plan.loads - band.high, band.low - plan.loads], axis=1).T, 0.0)
        slack = np.where(np.tile(relieved, 2 * columns), worse.ravel(), slack)
    sides = _sides(plan, np.tile(giver, len(_STEPS)), np.tile(taker, len(_STEPS)))
    answer = linprog(
        np.concatenate([cost, dear, dear]),
        A_ub=sides,
        b_ub=np.concatenate(
            [(band.high - plan.loads).T.ravel(), (plan.loads - band.low).T.ravel(), _MOST_GIVEN * plan.amount]
        ),
        bounds=np.column_stack(
            [
                np.zeros(steps + 2 * slacks),
                np.concatenate([most, slack]),
            ]
        ),
        method="highs",
    )
    if answer.x is None:
        raise ArithmeticError(f"the flows between territories were not found: {answer.message}")
    amounts = answer.x[:steps].reshape(len(_STEPS), -1).sum(axis=0)
    some = amounts > _NOTHING
    return Flows(giver[some].astype(np.int64), taker[some].astype(np.int64), amounts[some], float(answer.fun))


def _steps(plan: Standing, giver: Integers, taker: Integers, stay: float) -> tuple[Floats, Floats]:
    """Return what each step of each pair costs per amount, and how much it is at most; step by step.

    On the border itself a unit goes at the difference of its ways to the middles. A border that moves by d makes a unit on
    it dearer by twice d times the way between the middles; a territory is taken for round, its border with one neighbour
    for as long as its radius.
    """
    apart = np.hypot(*(plan.middles[giver] - plan.middles[taker]).T)
    radius = np.sqrt(2 * plan.scale[giver])
    border = np.maximum(stay + plan.dearer[giver, taker], _LEAST * stay)
    costs, most, before = [], [], 0.0
    for step in _STEPS:
        costs.append(border + 2 * np.pi * apart * radius * (before + step / 2))
        most.append(step * plan.amount[giver])
        before += step
    return np.concatenate(costs), np.concatenate(most)


def _sides(plan: Standing, giver: Integers, taker: Integers) -> csr_matrix:
    """Return the rows of the program: loads at most high, at least low (measure by measure), and what is given at most."""
    territories, columns = plan.loads.shape
    pairs = np.arange(len(giver))
    each = plan.loads[giver] / plan.amount[giver][:, None]
    rows, places, values = [], [], []
    for column in range(columns):
        for which, sign in ((taker, 1.0), (giver, -1.0)):
            for side, turned in ((0, 1.0), (columns, -1.0)):
                rows.append((side + column) * territories + which)
                places.append(pairs)
                values.append(turned * sign * each[:, column])
    slacks = np.arange(2 * territories * columns)
    rows += [slacks, 2 * territories * columns + giver]
    places += [len(giver) + slacks, pairs]
    values += [np.full(len(slacks), -1.0), np.ones(len(giver))]
    return coo_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(places))),
        shape=((2 * columns + 1) * territories, len(giver) + len(slacks)),
    ).tocsr()
