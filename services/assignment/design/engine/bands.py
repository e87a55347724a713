"""What the loads of a plan that changes have to lie between: who was out of it before is not asked for more than before."""

import numpy as np

from services.assignment.design.engine.arrays import Flags, Floats, Labels
from services.assignment.design.engine.dual import Band
from services.assignment.design.engine.scaled import Scaled

# How much further than its tolerance a territory may have been to count as within it, by shares of that: what those who
# left were to hold is not known to the unit, the less so the fewer there are.
_NEARLY = 0.1
_IN_BAND = 1e-6


def out_before(ready: Scaled, known: Labels) -> Flags:
    """Tell which territories are out of their band today, of which measure, shape (K, A)."""
    loads, holds = loads_known(ready, known), np.bincount(known[known >= 0], minlength=ready.territories) > 0
    band = ready.band
    # Before the change the same reps shared out what they hold now.
    grown = loads.sum(axis=0) / np.maximum((band.middle * holds[:, None]).sum(axis=0), 1e-300)
    was = (
        np.abs(loads - band.middle * grown)
        <= band.half * grown * (1 + _NEARLY + 1 / ready.territories) + _IN_BAND
    )
    return np.asarray(~was & holds[:, None] & (np.arange(loads.shape[1]) < len(ready.hard)))


def as_wide_as(band: Band, loads: Floats, which: Flags) -> Band:
    """Return the band, for some territories (K, A or 1) wide enough for these loads (K, A)."""
    return Band(
        np.where(which, np.minimum(band.low, loads), band.low),
        np.where(which, np.maximum(band.high, loads), band.high),
        band.give,
    )


def as_far_as(band: Band, loads: Floats, which: Flags, over: Flags) -> Band:
    """Return the band, for some territories (K,) wide enough for these loads (K, A), above it where they are over, else below."""
    some = which[:, None]
    return Band(
        np.where(some & ~over, np.minimum(band.low, loads), band.low),
        np.where(some & over, np.maximum(band.high, loads), band.high),
        band.give,
    )


def is_out(loads: Floats, band: Band, hard: Flags) -> Flags:
    """Tell which territories, shape (K,), have a load (K, A) of a hard measure out of its band."""
    out = np.maximum(loads - band.high, band.low - loads)[:, hard]
    return np.asarray((out > _IN_BAND).any(axis=1))


def strict(band: Band, wide: Band, which: Flags) -> Band:
    """Return the wide band, but for some territories (K,) the other."""
    some = which[:, None]
    return Band(np.where(some, band.low, wide.low), np.where(some, band.high, wide.high), band.give)


def loads_known(ready: Scaled, known: Labels) -> Floats:
    """Return what each territory holds of each measure, shape (K, A); labels (n,), -1 for no territory."""
    some = known >= 0
    return np.column_stack(
        [np.bincount(known[some], column[some], ready.territories) for column in ready.units.measures.T]
    )
