"""Watches the engine at work, for those who wait: runs in the engine's own process."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from services.assignment.design.engine.arrays import Floats, Labels
from services.assignment.design.engine.geography import Plane
from services.assignment.design.engine.problem import loads_of
from services.assignment.design.engine.proposal import EnoughError, Stage, StoppedError
from services.assignment.design.inputs.question import Question
from services.assignment.design.lengths import lengths_km, middles
from services.assignment.design.runs.run import Figures, Progress

# Often enough to watch, seldom enough not to be felt.
_TELL_SECONDS = 0.3

Tell = Callable[[Progress], None]


@dataclass(slots=True)
class Watch:
    """Tells how far the engine is, now and then, and stops it between two steps when its time is up.

    `targets` (K, A) in the measures' own units. `best` are the best labels so far: the accounts', or those of the units
    that they are kept together in, whose numbers are then in `of` (n,). `starts_until`: by the monotonic clock, when what is
    left of the time is for carrying the best beginning through. `homes` (K, 2) as in the engine's problem.
    """

    tell: Tell
    question: Question
    xy: Floats
    plane: Plane
    targets: Floats
    until: float
    starts_until: float
    best: Labels | None = None
    of: Labels | None = None
    homes: Floats | None = None
    stage: Stage | None = None
    _told_at: float = 0.0
    _closed: bool = False
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, stage: Stage, share: float, labels: Labels | None) -> None:
        """Take note of what the engine is at. Raises StoppedError when the time is up, EnoughError to be through in time."""
        with self._one_at_a_time:
            # While some units are nowhere yet, there is no plan.
            if labels is not None and labels.min(initial=0) >= 0:
                self.best = labels.copy()
            now = time.monotonic()
            if self._closed or (now >= self.until and stage is not Stage.REPORT):
                raise StoppedError
            if stage is Stage.STARTS and now >= self.starts_until:
                raise EnoughError
            if stage is not self.stage or now - self._told_at >= _TELL_SECONDS:
                self.tell(Progress(stage.value, min(max(share, 0.0), 1.0), self._figures()))
                # After the figures, which take their time where there is a million units.
                self.stage, self._told_at = stage, time.monotonic()

    def looks_further(self, share: float) -> None:
        """Tell that there is a plan, and how much of what is told beside it is done."""
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self.tell(Progress(Stage.REPORT.value, share, self._figures()))
            self._told_at = time.monotonic()

    def mean_km(self, labels: Labels, centres: Floats) -> float:
        """Return the mean length in km from accounts to centres (K, 2), in the plane's km; labels are like those of `best`."""
        labels = labels if self.of is None else labels[self.of]
        middle = self.plane.to_sphere(centres)
        return self._mean_km(labels, middle)

    def close(self) -> None:
        """Tell no more."""
        with self._one_at_a_time:
            self._closed = True

    def _figures(self) -> Figures | None:
        if self.best is None:
            return None
        question, labels = self.question, self.best if self.of is None else self.best[self.of]
        loads = loads_of(labels, question.measures, question.territories)
        middle = middles(
            self.xy, labels, question.territories, self.plane, self.homes, question.pull, question.road
        )
        moved = None if question.from_scratch else question.moved_share(labels)
        return Figures(
            deviation=tuple(np.abs(loads / self.targets - 1).max(axis=0).tolist()),
            mean_km=self._mean_km(labels, middle),
            moved=moved,
        )

    def _mean_km(self, labels: Labels, middle: tuple[Floats, Floats]) -> float:
        """Return the mean way in km of accounts, labels (n,), to the middle of their territory, (K,) each in degrees."""
        asked = self.question
        return float(lengths_km(asked.latitude, asked.longitude, labels, middle, asked.road).mean())
