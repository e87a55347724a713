"""What one full-time rep more or fewer would do to a proposal: the words, for the engine's process and the database. Pure."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RepChange:
    """One rep more, or fewer; territories by their number.

    leaves: whose territory goes, None for a rep more. capacity: of who comes or goes, in full-time reps. touched: the territories that gain or lose accounts, of those that
    are there before. latitude, longitude: the middle of the territory that comes or goes. moved: accounts whose rep would be
    another. mean_km: mean distance of accounts from the middle of their territory. deviation, and what a full-time rep
    carries: by measure. within_tolerance: every hard measure keeps to its own.
    """

    leaves: int | None
    capacity: float
    touched: tuple[int, ...]
    latitude: float
    longitude: float
    moved: int
    mean_km_before: float
    mean_km_after: float
    deviation_before: tuple[float, ...]
    deviation_after: tuple[float, ...]
    load_per_rep_before: tuple[float, ...]
    load_per_rep_after: tuple[float, ...]
    within_tolerance: bool

    def __post_init__(self) -> None:
        """Raise ArithmeticError for a figure that is no number: nobody could keep it."""
        lengths = (self.latitude, self.longitude, self.mean_km_before, self.mean_km_after)
        loads = (*self.load_per_rep_before, *self.load_per_rep_after)
        if not all(map(math.isfinite, (*lengths, *loads, *self.deviation_before, *self.deviation_after))):
            raise ArithmeticError(f"no number: {self}")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What one rep more and one fewer would do; None where that cannot be, or there was no time to look."""

    one_more: RepChange | None
    one_fewer: RepChange | None
