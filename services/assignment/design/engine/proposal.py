"""What the engine answers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from services.assignment.design.engine.arrays import Floats, Integers, Labels
from services.assignment.design.engine.short_of import ShortOf

SOLVER_VERSION = "1"


class Stage(StrEnum):
    """What the engine is at, in this order; from BALANCE to IMPROVE once for each beginning that is carried through."""

    PREPARE = "prepare"
    STARTS = "starts"
    BALANCE = "balance"
    CONTIGUITY = "contiguity"
    IMPROVE = "improve"
    REPORT = "report"


class Reason(IntEnum):
    """Why a unit is in its territory: the first that holds, in this order."""

    FIXED = 0  # it has to be there
    NEAREST = 1  # no territory that may hold it is nearer
    STAYS = 2  # it was there, and leaving is not worth the cost of a move
    BALANCE = 3  # a nearer one is full, or this one would be short of its target
    WHOLE = 4  # a nearer one could not reach it or would fall apart, or units are too large to do better
    TOGETHER = 5  # none of these holds for it alone: it goes with those it has to stay together with


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A limit that keeps the plan from costing less: so much travel is saved per share of a target it is loosened by."""

    territory: int
    measure: int
    side: str  # "low" or "high"
    price: float  # share of all travel per whole target


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A limit that does not hold.

    measure: its column, None where it is about none. territories: those that do not keep it, rising; none where it is
    about all. figure: how far off it is, None where there is nothing to tell: of UNIT_TOO_LARGE, OUT_OF_TOLERANCE and
    LEFT_ALONE the largest |load / target - 1|, of MOST_MOVED the share of move_value that moves.
    """

    code: ShortOf
    measure: int | None = None
    territories: tuple[int, ...] = ()
    figure: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Territories for every unit, and how good they are.

    labels (n,), centres (K, 2) in km (nan of one without units), loads (K, A). deviation (A,): the largest |load / target - 1|. mean_km: weighted
    mean distance to the centre. cost: weighted squared distance, in km² times weight; bound: what no plan within the
    tolerances can cost less than, with its centres where this one's are; gap = cost / bound - 1, None where the bound
    says nothing of this plan: it is out of a tolerance, or no bound above zero is known. parts (K,): how many
    connected parts, 1 is whole, 0 has no unit. moved: share of the move_value of units with an incumbent that is elsewhere; moved_units:
    their number; least_moved (A,): the share of each measure that has to move at least. reasons (n,): of `Reason`.
    feasible: all hard limits hold. least_deviation (A,): no plan gets below that, for
    units too large, islands, or who may hold what; why: which of them do not.
    input_hash: of everything the answer depends on.
    """

    labels: Labels
    centres: Floats
    loads: Floats
    deviation: Floats
    mean_km: float
    cost: float
    bound: float
    gap: float | None
    parts: Integers
    moved: float
    moved_units: int
    least_moved: Floats
    binding: tuple[Binding, ...]
    reasons: Labels
    feasible: bool
    least_deviation: Floats
    why: tuple[Shortfall, ...]
    seed: int
    solver_version: str
    input_hash: str


class StoppedError(Exception):
    """The watcher wanted no more."""


class EnoughError(Exception):
    """The watcher wants no more beginnings than there are: time is short."""


# Told what the engine is at, how much of that is done (0 to 1), and the best labels (n,) so far, if there are any. It
# raises StoppedError to have no more done, and between two beginnings EnoughError to have the rest done with those.
Watcher = Callable[[Stage, float, Labels | None], None]


def unseen(watch: Watcher) -> Watcher:
    """Return a watcher that is told how far the work is and shown nothing: what is worked on is no better than was shown."""
    return lambda stage, share, _labels: watch(stage, share, None)


def unwatched(_stage: Stage, _share: float, _labels: Labels | None) -> None:
    """Watch nothing."""
