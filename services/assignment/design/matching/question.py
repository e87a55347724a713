"""What a matching is asked, and what it answers; both travel between processes. Pure, and without arrays."""

from dataclasses import dataclass
from uuid import UUID

Place = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A proposed territory and who covers it as primary now: None where nobody does.

    `middle` is the territory's, None without accounts; `home` the rep's, None where it is not known. `brings`: what the
    rep brings of each part that the run requires.
    """

    territory_id: UUID
    name: str
    capacity: float
    middle: Place | None
    rep_id: UUID | None
    home: Place | None
    brings: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Bond:
    """What a rep has today of a territory (by its number): accounts, or what they are worth."""

    rep_id: UUID
    territory: int
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Seats are territories as they are named. `relocation_weight`: 0 looks at relationships alone, 1 at relocation alone."""

    seats: tuple[Seat, ...]
    bonds: tuple[Bond, ...]
    relocation_weight: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A territory with the rep of a seat: km from home to its middle (None where one is not known), and what is lost.

    `kept` goes on with its rep, `lost` gets another one, or none.
    """

    seat: int
    km: float | None
    kept: float
    lost: float


@dataclass(frozen=True, slots=True)
class Sum:
    """What a whole matching comes to; `cost` is told in averages of pairs, for comparing matchings of one question."""

    km: float
    kept: float
    lost: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Pairs by territory: as they are named, and at the least cost there is."""

    named: tuple[Pair, ...]
    best: tuple[Pair, ...]
    named_sum: Sum
    best_sum: Sum
