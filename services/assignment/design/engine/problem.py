"""What the engine is asked: units, territories, what has to hold.

n units, K territories, A measures. A unit is the smallest thing that moves; accounts that have to stay together are
merged into one before (`merge.merged`).
"""

from dataclasses import dataclass

import numpy as np

from services.assignment.design.engine.adjacency import Adjacency
from services.assignment.design.engine.arrays import Flags, Floats, Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Units to be put into territories.

    xy (n, 2): places in km in a plane (`geography.projected`). weight (n,), not below zero: how often one travels there,
    in any unit. measures (n, A), not below zero. adjacency: who touches whom; None asks for no contiguity.
    targets (K, A), above zero: what each territory should hold of each measure, in any unit; columns are scaled so that
    they share out all there is. tolerance (A,): how far off a load may be, as a share of its target; `soft` (A,) tells
    that a measure may be further off where that is worth it, and is then reported.
    homes (K, 2): where each rep lives, nan for nowhere; `pull` from 0 (travel is counted from the middle of the
    territory) to 1 (from home).
    incumbents (n,): today's territories, -1 for none. move_value (n,): what moving a unit counts (1 each, or its
    revenue). stay: what a move costs, in travel of a mean unit per mean move_value. most_moved: the largest share of the
    move_value of units with an incumbent that may move, 1 for no limit.
    fixed (n,): the territory a unit has to be in, -1 for any. kinds (n,) and permitted (number of kinds, K): which
    territories may hold units of a kind (skills, languages, certifications, forbidden pairs).
    least_units, most_units (K,): how many units a territory may have; None for any number. counts (n,), not below zero: how
    many each unit counts for there, for units that stand for several; None for 1 each.
    """

    xy: Floats
    weight: Floats
    measures: Floats
    targets: Floats
    tolerance: Floats
    adjacency: Adjacency | None = None
    soft: Flags | None = None
    homes: Floats | None = None
    pull: float = 0.0
    incumbents: Labels | None = None
    move_value: Floats | None = None
    stay: float = 0.0
    most_moved: float = 1.0
    fixed: Labels | None = None
    kinds: Labels | None = None
    permitted: Flags | None = None
    least_units: Floats | None = None
    most_units: Floats | None = None
    counts: Floats | None = None

    @property
    def units(self) -> int:
        """How many units."""
        return len(self.xy)

    @property
    def territories(self) -> int:
        """How many territories."""
        return len(self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to try. starts: beginnings, fewer above 250 territories; rounds: moves of the centres per beginning; seed: of all chance."""

    starts: int = 4
    rounds: int = 16
    seed: int = 0


class WrongProblemError(ValueError):
    """The problem makes no sense: `field` names what, the message says what to change."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.field = name


def loads_of(labels: Labels, measures: Floats, territories: int) -> Floats:
    """Return what each territory holds of each measure, shape (K, A)."""
    return np.column_stack(
        [np.bincount(labels, measures[:, a], territories) for a in range(measures.shape[1])]
    )
