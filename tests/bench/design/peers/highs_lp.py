"""One allocation as a linear programme of HiGHS: 12 nearest centres per unit, loads within 3 % or at a high price.

The centres are the means of a recursive bisection. Allocation alone, and once: what an alternation does ten times.
"""

from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array
from scipy.spatial import cKDTree

from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance
from tests.bench.design.peers.bisection import bisected, means

ARCS, BAND = 12, 0.03


def solve(instance: Instance, territories: int) -> tuple[Integers, dict[str, Any]]:
    """Return labels, and how many units the programme split."""
    n, arcs = instance.units, min(ARCS, territories)
    load = instance.measures[:, 0] * (territories / instance.measures[:, 0].sum())
    centres = means(instance.xy, instance.weight, bisected(instance.xy, load, territories), territories)
    distance, near = cKDTree(centres).query(instance.xy, k=arcs)
    near = near.reshape(n, arcs)
    cost = (instance.weight[:, None] * distance.reshape(n, arcs) ** 2).ravel()
    share, unit, territory = np.arange(n * arcs), np.repeat(np.arange(n), arcs), n + near.ravel()
    # Rows: each unit is given away whole; each load, short of it (+) or over (-), is in the band.
    slack = np.arange(2 * territories)
    rows = np.concatenate([unit, territory, n + slack % territories])
    columns = np.concatenate([share, share, n * arcs + slack])
    values = np.concatenate(
        [np.ones(n * arcs), np.repeat(load, arcs), np.where(slack < territories, 1.0, -1.0)]
    )
    matrix = csc_array((values, (rows, columns)), shape=(n + territories, n * arcs + len(slack)))
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = matrix.shape[1], matrix.shape[0]
    programme.col_cost_ = np.concatenate([cost, np.full(len(slack), 100 * cost.max())])
    programme.col_lower_ = np.zeros(matrix.shape[1])
    programme.col_upper_ = np.full(matrix.shape[1], highspy.kHighsInf)
    programme.row_lower_ = np.concatenate([np.ones(n), np.full(territories, 1 - BAND)])
    programme.row_upper_ = np.concatenate([np.ones(n), np.full(territories, 1 + BAND)])
    programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    programme.a_matrix_.start_ = matrix.indptr
    programme.a_matrix_.index_ = matrix.indices
    programme.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(programme)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"no optimum: {solver.modelStatusToString(solver.getModelStatus())}")
    shares = np.array(solver.getSolution().col_value)[: n * arcs].reshape(n, arcs)
    split = int(((shares > 1e-6) & (shares < 1 - 1e-6)).any(axis=1).sum())
    return near[np.arange(n), shares.argmax(axis=1)].astype(np.int64), {"split": split}
