"""How good a proposal is: what each of its territories comes to, and the whole of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.assignment.design.proposals.shortfall import Shortfall


@dataclass(frozen=True, slots=True)
class Designed:
    """A territory of a run, as edits leave it: what it should hold of each measure, where its rep lives, in degrees.

    least, most: how many accounts it may have, None for any number.
    """

    territory_id: UUID
    name: str
    targets: tuple[float, ...]
    home: tuple[float, float] | None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerritoryScore:
    """What a territory comes to.

    `cost` is its weighted squared road to the middle, in square kilometres of the engine's plane, `mean_km` is by road over the sphere; `broken`: it is in parts that no pinned
    account keeps apart, though it should be whole. `moved_accounts` came from another territory, and count `moved_value`.
    """

    territory_id: UUID
    accounts: int
    gained: int
    lost: int
    loads: tuple[float, ...]
    latitude: float | None
    longitude: float | None
    mean_km: float | None
    parts: int
    broken: bool
    weight: float
    cost: float
    moved_accounts: int
    moved_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the whole comes to; `deviation` is by measure."""

    feasible: bool
    why: tuple[Shortfall, ...]
    deviation: tuple[float, ...]
    mean_km: float
    cost: float
    gap: float | None
    moved_accounts: int
    moved_share: float
    edited_accounts: int


@dataclass(frozen=True, slots=True)
class Image:
    """The whole, and the territories that an edit touched: before it or after it."""

    totals: Totals
    territories: tuple[TerritoryScore, ...]


def deviations(designed: Sequence[Designed], scores: Sequence[TerritoryScore]) -> list[list[float]]:
    """Return load / target - 1 of each territory, by measure."""
    return [
        [load / target - 1 for load, target in zip(score.loads, one.targets, strict=True)]
        for one, score in zip(designed, scores, strict=True)
    ]


def replaced(scores: Iterable[TerritoryScore], newer: Iterable[TerritoryScore]) -> list[TerritoryScore]:
    """Return scores in their order, newer ones in place of older ones of the same territory."""
    known = {one.territory_id: one for one in newer}
    return [known.get(one.territory_id, one) for one in scores]
