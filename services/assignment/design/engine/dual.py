"""Balance for fixed centres: prices per territory and measure, found by damped Newton steps on a smoothed dual.

The relaxed problem   min sum_i w_i |x_i - c_label(i)|^2   with   low_ja <= load_ja <= high_ja   (units may be split)
has the concave dual

    D(lam) = sum_i w_i min_j (|x_i - c_j|^2 + sum_a lam_ja r_ia)
             - sum_ja (middle_ja lam_ja + half_ja |lam_ja| + give_ja lam_ja^2 / 2),

r = measures / w, give > 0 for a measure that may leave its band at a price. One measure with r = 1 is exactly a power diagram. The minimum is softened by a temperature on the local
scale (territories differ a hundredfold in size) and |lam| likewise; Newton's method then converges in few steps, and the
temperature is taken down. Sources: semi-discrete optimal transport by damped Newton (Kitagawa, Merigot, Thibert 2019);
balanced power diagrams (Cohen-Addad, Klein, Young 2018).
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.dual_kernels import evaluate, exact_value, label, pairs_of, shift
from services.assignment.design.engine.level import Level
from services.assignment.design.engine.newton import System

NEAREST = 16
_LONGEST_STEP = 30.0
# A move of the centres after which a load is so far off is made shorter there, so many times.
_ASTRAY = 0.5
_TRIES = 5
_SHORTER = 0.4
_AROUND = 6


@dataclass(frozen=True, slots=True)
class Band:
    """What the loads, shape (K, A), have to lie between; give (A,): how far a load leaves it at the price of a scale."""

    low: Floats
    high: Floats
    give: Floats

    @property
    def middle(self) -> Floats:
        """Return the middle of the band."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> Floats:
        """Return half of its width."""
        return (self.high - self.low) / 2

    def narrowed(self, share: Floats | float) -> "Band":
        """Return the band with so much of its width, of each measure, around its middle."""
        return Band(self.middle - share * self.half, self.middle + share * self.half, self.give)


@dataclass(frozen=True, slots=True)
class _Point:
    """The dual at some prices: value, gradient (K, A), curvature (slots, A, A), that of the targets' part (K, A), and
    masses (K, 3): weight and its product with x and y.
    """  # noqa: D205 - one sentence

    value: float
    gradient: Floats
    curvature: Floats
    bend: Floats
    masses: Floats


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What hangs on where the centres (K, 2) are: near (B, T), who is looked at from a block; scale (K,), a territory's own
    squared km; steepness (B,), by which the temperature is multiplied; slot (K, K) and slots: see `pairs_of`.
    """  # noqa: D205 - one sentence

    centres: Floats
    near: Labels
    scale: Floats
    steepness: Floats
    slot: Labels
    slots: int
    system: System


class Dual:
    """Prices for the territories of one level, kept while centres and temperature change."""

    def __init__(
        self,
        level: Level,
        band: Band,
        centres: Floats,
        prices: Floats | None = None,
        permitted: Flags | None = None,
    ) -> None:
        self._level = level
        self._band = band
        self._permitted = permitted
        self.territories, self.kinds = band.low.shape
        self.prices = np.zeros_like(band.low) if prices is None else prices.copy()
        self._damping = 0.1
        extent = level.middle.max(axis=0) - level.middle.min(axis=0)
        self._extent = float((extent**2).sum()) or 1.0
        self.worst = np.inf
        self.go_to(centres)

    @property
    def centres(self) -> Floats:
        """Return where travel starts, shape (K, 2)."""
        return self._around.centres

    @property
    def scale(self) -> Floats:
        """Return the squared km of each territory's size, shape (K,)."""
        return self._around.scale

    def go_to(self, centres: Floats) -> None:
        """Take new centres, shape (K, 2): who is near which block, and the local scales."""
        level, count = self._level, self.territories
        centres = np.ascontiguousarray(centres)
        near = self._nearest(centres)
        first = near[:, 0]
        second = np.where(near[:, 1] >= 0, near[:, 1], first) if near.shape[1] > 1 else first
        weight = np.bincount(first, level.block_weight, count)
        inertia = level.inertia + level.block_weight * ((level.middle - centres[first]) ** 2).sum(axis=1)
        spread = np.bincount(first, inertia, count) / np.maximum(weight, 1e-12)
        apart = cKDTree(centres).query(centres, k=2)[0][:, 1] ** 2 if count > 1 else np.ones(1)
        least = np.maximum(apart, 1e-9 * self._extent / count) / 12
        scale = np.maximum(np.where(weight > 0.1, np.minimum(spread, apart), 0.0), least)
        # A unit between two centres sees their costs part at twice their distance per km: this times the smaller
        # territory's radius makes the soft border a fixed share of that radius wide.
        rho = np.sqrt(scale)
        between = np.sqrt(((centres[first] - centres[second]) ** 2).sum(axis=1))
        steepness = np.maximum(between * np.minimum(rho[first], rho[second]), 1e-9 * self._extent)
        slot, slots = pairs_of(near, count)
        self._around = _Surroundings(centres, near, scale, steepness, slot, slots, System(slot, self.kinds))
        self._here: _Point | None = None
        self._temperature = 0.0

    def solve(self, temperature: float, *, steps: int, near_enough: float = 2e-3) -> None:
        """Climb the dual at a temperature, in at most so many evaluations; `worst` is how far off a load then is."""
        here = self._at_prices(temperature)
        slack = 1e-3 / np.repeat(self.scale, self.kinds)
        while steps > 0 and np.abs(here.gradient).max() > near_enough:
            found = None
            for _ in range(6):
                steps -= 1
                diagonal = here.bend.ravel() + slack * (1 + 30 * self._damping)
                step = self._around.system.solved(here.curvature, diagonal, self._damping, here.gradient)
                cap = _LONGEST_STEP * self.scale[:, None]
                step = np.clip(step, -cap, cap)
                there = self._at(self.prices + step, temperature)
                if there.value >= here.value + 1e-5 * float((here.gradient * step).sum()):
                    found = there
                    break
                self._damping = max(4 * self._damping, 0.1)
                if steps <= 0:
                    break
            if found is None:
                break
            self._damping = self._damping / 4 if self._damping > 0.01 else 0.0
            self.prices = self.prices + step
            here = found
        self._here = here
        self.worst = float(np.abs(here.gradient).max())

    def anneal(self, temperatures: tuple[float, ...], *, steps: int) -> None:
        """Climb at one temperature after the other, with who is near and the scales anew at each."""
        for temperature in temperatures:
            self.go_to(self.centres)
            self.solve(temperature, steps=steps)

    def move_to(self, centres: Floats, temperature: float) -> None:
        """Take new centres, with the prices that keep loads as they are to first order.

        Without them a warm start collapses from about 200 territories on. Where loads go astray all the same, centres
        move less far, and so do those around.
        """
        here = self._at_prices(temperature)
        most_off = np.maximum(1.2 * np.abs(here.gradient).max(axis=1), _ASTRAY)
        before, prices = self._around, self.prices
        step = centres - before.centres
        for tries_left in reversed(range(_TRIES)):
            moved = before.centres + step
            self.prices = prices + self._keeping_loads(here, moved, temperature)
            self.go_to(moved)
            off = np.abs(self._at_prices(temperature).gradient).max(axis=1)
            astray = off > most_off
            if not astray.any() or not tries_left:
                return
            self._around, self.prices, self._here = before, prices, None
            _, around = cKDTree(before.centres).query(before.centres[astray], k=min(_AROUND, len(off)))
            step[np.unique(around)] *= _SHORTER

    def _keeping_loads(self, here: _Point, moved: Floats, temperature: float) -> Floats:
        """Return what is added to the prices, shape (K, A), so that moved centres change loads in the second order only."""
        around = self._around
        change = shift(
            self._level, around.near, around.centres, moved, self.prices, temperature * around.steepness
        )
        slack = here.bend.ravel() + 1e-4 / np.repeat(around.scale, self.kinds)
        # Little damping: what no border answers for would be sent far away.
        step = around.system.solved(here.curvature, slack, 1e-2, change)
        cap = _LONGEST_STEP * around.scale[:, None]
        return np.clip(step, -cap, cap)

    def masses(self) -> Floats:
        """Return weight and its product with x and y, shape (K, 3), of the softened territories of the last `solve`."""
        return np.zeros((self.territories, 3)) if self._here is None else self._here.masses

    def labels(self) -> Labels:
        """Return each unit's territory, shape (n,)."""
        return label(self._level, self._around.near, self.centres, self.prices)

    def bound(self) -> float:
        """Return the dual without smoothing: no plan in the band costs less at these centres."""
        permitted = np.ones((1, self.territories), np.bool_) if self._permitted is None else self._permitted
        value = exact_value(self._level, permitted, self.centres, self.prices)
        return value - self._targets(self.prices, np.abs(self.prices))

    def _nearest(self, centres: Floats) -> Labels:
        """Return the permitted territories of least cost at each block's middle, cheapest first, shape (B, <= NEAREST)."""
        level = self._level
        ratio = level.block_measures.sum(axis=0) / level.block_weight.sum()
        lifted = self.prices @ ratio
        points = np.column_stack([level.middle, np.zeros(len(level.middle))])
        wanted = min(NEAREST, self.territories)
        near = np.full((len(points), wanted), -1, np.int32)
        for kind in range(1 if self._permitted is None else len(self._permitted)):
            blocks = slice(None) if self._permitted is None else np.flatnonzero(level.block_kind == kind)
            may = (
                np.arange(self.territories)
                if self._permitted is None
                else np.flatnonzero(self._permitted[kind])
            )
            some = min(wanted, len(may))
            lift = np.sqrt(lifted[may] - lifted[may].min())
            _, found = cKDTree(np.column_stack([centres[may], lift])).query(points[blocks], k=some)
            near[blocks, :some] = may[found.reshape(-1, some)]
        return near

    def _targets(self, prices: Floats, size: Floats) -> float:
        band = self._band
        give = band.give / self.scale[:, None]
        return float((band.middle * prices + band.half * size + 0.5 * give * prices**2).sum())

    def _at_prices(self, temperature: float) -> _Point:
        if self._here is None or self._temperature != temperature:
            self._here = self._at(self.prices, temperature)
            self._temperature = temperature
        return self._here

    def _at(self, prices: Floats, temperature: float) -> _Point:
        around = self._around
        value, loads, masses, curvature = evaluate(
            self._level,
            around.near,
            around.centres,
            prices,
            temperature * around.steepness,
            around.slot,
            around.slots,
        )
        round_off = (min(0.05, temperature) + 0.5 * temperature) * self.scale[:, None]
        size = np.sqrt(prices**2 + round_off**2)
        band = self._band
        give = band.give / self.scale[:, None]
        return _Point(
            value - self._targets(prices, size - round_off),
            loads - band.middle - band.half * prices / size - give * prices,
            curvature,
            band.half * round_off**2 / size**3 + give,
            masses,
        )
