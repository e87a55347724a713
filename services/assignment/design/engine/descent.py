"""Centres moved to the middles of their territories, territories kept in balance: Lloyd's steps with the dual's prices."""

import numpy as np

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.dual import Dual

HOT = (2.0, 1.0, 0.5, 0.25)
_FAR_OFF = 0.35
_MORE_STEPS = 4
# A longer step than to the middle saves half of the rounds; the last ones go to the middle itself.
_OVER = 1.7
_LONGEST = 0.6


def settle(dual: Dual, temperature: float, *, steps: int) -> None:
    """Balance at a temperature; from hot again if loads are far off."""
    dual.solve(temperature, steps=steps)
    for _ in range(2):
        if dual.worst > _FAR_OFF:
            dual.solve(temperature, steps=_MORE_STEPS)
        if dual.worst <= _FAR_OFF:
            return
        dual.prices = dual.prices * 0.5
        dual.anneal(HOT, steps=4)
        dual.solve(temperature, steps=steps)


def descend(dual: Dual, rounds: int, *, temperature: float, anchors: "Anchors") -> None:
    """Move the centres so many times."""
    for round_ in range(rounds):
        middles = anchors.of(dual.masses(), dual.centres)
        step = middles - dual.centres
        if 1 < round_ < rounds - 3:
            step = step * _OVER
        longest = _LONGEST * np.sqrt(dual.scale)
        step = step * np.minimum(longest / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-300), 1.0)[:, None]
        dual.move_to(dual.centres + step, temperature)
        settle(dual, temperature, steps=2)


class Anchors:
    """Where travel starts: between the middle of a territory and its rep's home.

    homes (K, 2), nan for none; pull from 0, the middle, to 1, home; held (K, 3): weight, and its product with x and y, of
    what is in a territory anyway.
    """

    def __init__(self, homes: Floats, pull: float, held: Floats) -> None:
        self._homes = homes
        self._pull = pull
        self._held = held

    def without_held(self) -> "Anchors":
        """Return the same for masses that hold everything."""
        return Anchors(self._homes, self._pull, np.zeros_like(self._held))

    def of(self, masses: Floats, before: Floats) -> Floats:
        """Return where travel starts, shape (K, 2), with these masses (K, 3); `before` where there are none."""
        total = masses + self._held
        some = total[:, :1] > 1e-9
        means = np.where(some, total[:, 1:] / np.where(some, total[:, :1], 1.0), before)
        lives = ~np.isnan(self._homes[:, :1])
        return np.where(lives, (1 - self._pull) * means + self._pull * np.nan_to_num(self._homes), means)
