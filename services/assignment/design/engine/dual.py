"""Balance for fixed centres: prices per territory and measure, found by damped Newton steps on a smoothed dual.

The relaxed problem   min sum_i w_i |x_i - c_label(i)|^2   with   low_ja <= load_ja <= high_ja   (units may be split)
has the concave dual

    D(lam) = sum_i w_i min_j (|x_i - c_j|^2 + sum_a lam_ja r_ia) - sum_ja (middle_ja lam_ja + half_ja |lam_ja|),

r = measures / w. One measure with r = 1 is exactly a power diagram. The minimum is softened by a temperature on the local
scale (territories differ a hundredfold in size) and |lam| likewise; Newton's method then converges in few steps, and the
temperature is taken down. Sources: semi-discrete optimal transport by damped Newton (Kitagawa, Merigot, Thibert 2019);
balanced power diagrams (Cohen-Addad, Klein, Young 2018).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.dual_kernels import evaluate, label, pairs_of, shift
from services.assignment.design.engine.level import Level

NEAREST = 16
_DENSE = 400
_LONGEST_STEP = 30.0


@dataclass(frozen=True, slots=True)
class Band:
    """What the loads, shape (K, A), have to lie between."""

    low: Floats
    high: Floats

    @property
    def middle(self) -> Floats:
        """Return the middle of the band."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> Floats:
        """Return half of its width."""
        return (self.high - self.low) / 2

    def narrowed(self, share: float) -> "Band":
        """Return the band with so much of its width, around its middle."""
        return Band(self.middle - share * self.half, self.middle + share * self.half)


@dataclass(frozen=True, slots=True)
class _Point:
    """The dual at some prices: value, gradient (K, A), curvature (slots, A, A), that of |lam| (K, A), loads (K, A)."""

    value: float
    gradient: Floats
    curvature: Floats
    bend: Floats
    loads: Floats


class Dual:
    """Prices for the territories of one level, kept while centres and temperature change."""

    def __init__(self, level: Level, band: Band, centres: Floats, prices: Floats | None = None) -> None:
        self._level = level
        self._band = band
        self.territories, self.kinds = band.low.shape
        self.prices = np.zeros_like(band.low) if prices is None else prices.copy()
        self._damping = 0.1
        self.worst = np.inf
        self.go_to(centres)

    def go_to(self, centres: Floats) -> None:
        """Take new centres, shape (K, 2): who is near which block, and the local scales."""
        level, count = self._level, self.territories
        self.centres = np.ascontiguousarray(centres)
        self._near = self._nearest()
        first = self._near[:, 0]
        second = self._near[:, 1] if count > 1 else first
        weight = np.bincount(first, level.block_weight, count)
        inertia = level.inertia + level.block_weight * ((level.middle - centres[first]) ** 2).sum(axis=1)
        spread = np.bincount(first, inertia, count) / np.maximum(weight, 1e-12)
        apart = cKDTree(centres).query(centres, k=2)[0][:, 1] ** 2 if count > 1 else np.ones(1)
        least = np.maximum(apart, 1e-12 * self._extent) / 12
        self.scale = np.maximum(np.where(weight > 0.1, np.minimum(spread, apart), 0.0), least)
        # A unit between two centres sees their costs part at twice their distance per km: this times the smaller
        # territory's radius makes the soft border a fixed share of that radius wide.
        rho = np.sqrt(self.scale)
        between = np.sqrt(((centres[first] - centres[second]) ** 2).sum(axis=1))
        self._steepness = np.maximum(between * np.minimum(rho[first], rho[second]), 1e-9 * self._extent)
        self._slot, self._slots = pairs_of(self._near, count)
        row, column = np.nonzero(self._slot >= 0)
        self._rows, self._columns, self._places = row, column, self._slot[row, column]

    def solve(self, temperature: float, *, steps: int, near_enough: float = 2e-3) -> None:
        """Climb the dual at a temperature, in at most so many evaluations; `worst` is how far off a load then is."""
        here = self._at(self.prices, temperature)
        slack = 1e-3 / np.repeat(self.scale, self.kinds)
        while steps > 0 and np.abs(here.gradient).max() > near_enough:
            step = None
            for _ in range(6):
                steps -= 1
                damping = here.bend.ravel() + slack * (1 + 30 * self._damping)
                step = self._newton(here, damping, self._damping)
                there = self._at(self.prices + step, temperature)
                if there.value >= here.value + 1e-5 * float((here.gradient * step).sum()):
                    break
                step = None
                self._damping = max(4 * self._damping, 0.1)
            if step is None:
                break
            self._damping = self._damping / 4 if self._damping > 0.01 else 0.0
            self.prices = self.prices + step
            here = there
        self.worst = float(np.abs(here.gradient).max())

    def move_to(self, centres: Floats, temperature: float) -> None:
        """Take new centres, with the prices that keep loads as they are to first order.

        Without them a warm start collapses from about 200 territories on.
        """
        here = self._at(self.prices, temperature)
        change = shift(
            *self._units(), self._near, self.centres, centres, self.prices, temperature * self._steepness
        )
        wanted = change + np.clip(here.gradient, -0.3, 0.3)
        slack = 1e-4 / np.repeat(self.scale, self.kinds)
        self.prices = self.prices + self._solve(here.curvature, slack, 1e-3, wanted)
        self.go_to(centres)

    def labels(self) -> Labels:
        """Return each unit's territory, shape (n,)."""
        return label(*self._units(), self._near, self.centres, self.prices)

    def bound(self) -> float:
        """Return the dual without smoothing: no plan in the band costs less at these centres."""
        zero = np.full(len(self._near), 1e-300)
        value, _, _ = evaluate(*self._all(), self._near, self.centres, self.prices, zero, self._slot, 0)
        return value - self._targets(np.abs(self.prices))

    @property
    def _extent(self) -> float:
        return float(((self._level.middle.max(axis=0) - self._level.middle.min(axis=0)) ** 2).sum()) or 1.0

    def _units(self) -> tuple[Any, ...]:
        one = self._level
        return (
            one.xy,
            one.weight,
            one.measures,
            one.starts,
            one.block_weight,
            one.middle,
            one.radius,
            one.block_measures,
            one.spread,
        )

    def _all(self) -> tuple[Any, ...]:
        *head, measures, spread = self._units()
        return (*head, self._level.inertia, measures, spread)

    def _nearest(self) -> Labels:
        """Return the territories of least cost at each block's middle, cheapest first, shape (B, at most NEAREST)."""
        level = self._level
        ratio = level.block_measures.sum(axis=0) / level.block_weight.sum()
        lifted = self.prices @ ratio
        lifted = np.sqrt(lifted - lifted.min())
        points = np.column_stack([level.middle, np.zeros(len(level.middle))])
        wanted = min(NEAREST, self.territories)
        _, near = cKDTree(np.column_stack([self.centres, lifted])).query(points, k=wanted)
        return np.ascontiguousarray(near.reshape(len(points), wanted), np.int32)

    def _targets(self, size: Floats) -> float:
        return float((self._band.middle * self.prices + self._band.half * size).sum())

    def _at(self, prices: Floats, temperature: float) -> _Point:
        value, loads, curvature = evaluate(
            *self._all(),
            self._near,
            self.centres,
            prices,
            temperature * self._steepness,
            self._slot,
            self._slots,
        )
        round_off = (0.05 + 0.5 * temperature) * self.scale[:, None]
        size = np.sqrt(prices**2 + round_off**2)
        band = self._band
        return _Point(
            value - float((band.middle * prices + band.half * (size - round_off)).sum()),
            loads - band.middle - band.half * prices / size,
            curvature,
            band.half * round_off**2 / size**3,
            loads,
        )

    def _newton(self, here: _Point, slack: Floats, damping: float) -> Floats:
        step = self._solve(here.curvature, slack, damping, here.gradient)
        cap = _LONGEST_STEP * self.scale[:, None]
        return np.clip(step, -cap, cap)

    def _solve(self, curvature: Floats, slack: Floats, damping: float, wanted: Floats) -> Floats:
        """Solve (curvature, its diagonal dearer by a share, + slack) x = wanted for x, shape (K, A)."""
        size = self.territories * self.kinds
        kinds = np.arange(self.kinds)
        rows = (self._rows[:, None, None] * self.kinds + kinds[:, None]).repeat(self.kinds, 2).ravel()
        columns = (self._columns[:, None, None] * self.kinds + kinds[None, :]).repeat(self.kinds, 1).ravel()
        values = curvature[self._places].ravel()
        if size <= _DENSE:
            matrix = np.zeros((size, size))
            matrix[rows, columns] = values
            matrix[columns, rows] = values
            matrix.flat[:: size + 1] += damping * matrix.diagonal() + slack
            try:
                return cho_solve(cho_factor(matrix, lower=True, overwrite_a=True), wanted.ravel()).reshape(wanted.shape)
            except LinAlgError:
                return np.linalg.lstsq(matrix, wanted.ravel(), rcond=None)[0].reshape(wanted.shape)
        off = rows != columns
        sparse = coo_matrix(
            (
                np.concatenate([values, values[off]]),
                (np.concatenate([rows, columns[off]]), np.concatenate([columns, rows[off]])),
            ),
            shape=(size, size),
        ).tocsc()
        diagonal = sparse.diagonal()
        sparse.setdiag(diagonal * (1 + damping) + slack)
        return splu(sparse).solve(wanted.ravel()).reshape(wanted.shape)
