"""Territories for given centres by a linear programme: where few may hold what many want, prices alone find no balance.

    min sum_ij w_i |x_i - c_j|^2 y_ij   with   sum_j y_ij = 1,   low_ja <= sum_i m_ia y_ij <= high_ja,   y >= 0

over the pairs that are permitted. At a corner of that, no more units are split than limits bind; each goes where most
of it is. The dual of `dual.py` is this programme's, smoothed: its multipliers are the prices there.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_matrix, csr_matrix, vstack

from services.assignment.design.engine.arrays import Flags, Floats, Integers, Labels
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.level import Units

# Units times territories: the linear programme takes a second or two for so many, and that of whole units for so many.
_MOST_PAIRS = 20_000
_MOST_WHOLE_PAIRS = 2_000
_NODES = 200


@dataclass(frozen=True, slots=True)
class Transport:
    """labels (n,), whole units; prices (K, A) of the programme's limits."""

    labels: Labels
    prices: Floats


class _Programme:
    """Costs and limits over P permitted pairs of unit i and territory j."""

    def __init__(self, units: Units, band: Band, centres: Floats, may: Flags) -> None:
        self.shape = may.shape
        self.i, self.j = np.nonzero(may)
        off = ((units.xy[self.i] - centres[self.j]) ** 2).sum(axis=1)
        stays = np.where(units.owner[self.i] == self.j, units.bonus[self.i], 0.0)
        cost = units.weight[self.i] * (off - stays)
        self.size = max(float(np.abs(cost).max(initial=0.0)), 1e-300)
        self.cost = cost / self.size
        pair: Integers = np.arange(len(self.i))
        self.once = coo_matrix((np.ones(len(pair)), (self.i, pair)), (may.shape[0], len(pair))).tocsr()
        columns = band.low.shape[1]
        rows = (self.j[:, None] * columns + np.arange(columns)).ravel()
        held = (units.measures[self.i].ravel(), (rows, pair.repeat(columns)))
        self.loads: csr_matrix = coo_matrix(held, (band.low.size, len(pair))).tocsr()
        self.low, self.high = band.low.ravel(), band.high.ravel()

    def labels(self, share: Floats) -> Labels:
        """Return where most of each unit is."""
        out = np.zeros(self.shape)
        out[self.i, self.j] = share
        return np.asarray(out.argmax(axis=1), np.int32)


def transport(
    units: Units, band: Band, centres: Floats, permitted: Flags | None, *, undivided: bool = False
) -> Transport | None:
    """Return the cheapest labels that keep to the band if units may be split; None where there are none, or too many pairs.

    band: of K territories and A measures. centres (K, 2). permitted (kinds, K), None for all. `undivided` asks for labels
    that keep to the band with whole units, where pairs are few enough and such are found.
    """
    if len(units.xy) * len(centres) > _MOST_PAIRS:
        return None
    may = np.ones((len(units.xy), len(centres)), np.bool_) if permitted is None else permitted[units.kinds]
    asked = _Programme(units, band, centres, may)
    answer = linprog(
        asked.cost,
        vstack([asked.loads, -asked.loads], format="csr"),
        np.concatenate([asked.high, -asked.low]),
        asked.once,
        np.ones(len(units.xy)),
        method="highs",
    )
    if not answer.success:
        return None
    marginals = -answer.ineqlin.marginals * asked.size
    prices = (marginals[: len(asked.high)] - marginals[len(asked.high) :]).reshape(band.low.shape)
    share = answer.x
    if undivided and may.size <= _MOST_WHOLE_PAIRS:
        whole = _undivided(asked)
        share = share if whole is None else whole
    return Transport(asked.labels(share), prices)


def _undivided(asked: _Programme) -> Floats | None:
    answer = milp(
        asked.cost,
        integrality=np.ones(len(asked.cost)),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(asked.once, 1.0, 1.0),
            LinearConstraint(asked.loads, asked.low, asked.high),
        ],
        options={"node_limit": _NODES, "mip_rel_gap": 1e-3},
    )
    return None if answer.x is None else np.asarray(answer.x, np.float64)
