"""A placement: an account put in a territory of a plan, ahead of its rules and behind its pins. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Placement:
    """Which account goes where, by which design run (None: by hand), and who accepted that when."""

    plan_id: UUID
    account_id: UUID
    territory_id: UUID
    design_run_id: UUID | None
    placed_at: datetime
    placed_by: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An account, and the territory it is to go to."""

    account_id: UUID
    territory_id: UUID


class Rejection(StrEnum):
    """Why a pair was not taken."""

    UNKNOWN_ACCOUNT = "unknown-account"
    UNKNOWN_TERRITORY = "unknown-territory"
    INNER_TERRITORY = "inner-territory"
    NAMED_TWICE = "named-twice"


@dataclass(frozen=True, slots=True)
class RejectedPair:
    """A pair that was not taken; `row` is its place among those given, from 1."""

    row: int
    pair: Pair
    rejection: Rejection


@dataclass(frozen=True, slots=True)
class SortedPairs:
    """Those that can be stored, in the order of account ids, and those that cannot, in their own."""

    right: tuple[Pair, ...]
    wrong: tuple[RejectedPair, ...]


def sort_pairs(
    pairs: Sequence[Pair],
    *,
    unknown_accounts: Collection[UUID],
    territories: Collection[UUID],
    inner: Collection[UUID] = (),
) -> SortedPairs:
    """Hold pairs against what is known of accounts, and the plan's territories; an account counts once.

    `inner`: territories that take none of these, because others lie below them.
    """
    right: dict[UUID, Pair] = {}
    wrong: list[RejectedPair] = []
    for row, pair in enumerate(pairs, start=1):
        rejection = None
        if pair.account_id in right:
            rejection = Rejection.NAMED_TWICE
        elif pair.account_id in unknown_accounts:
            rejection = Rejection.UNKNOWN_ACCOUNT
        elif pair.territory_id not in territories:
            rejection = Rejection.UNKNOWN_TERRITORY
        elif pair.territory_id in inner:
            rejection = Rejection.INNER_TERRITORY
        if rejection is None:
            right[pair.account_id] = pair
        else:
            wrong.append(RejectedPair(row, pair, rejection))
    return SortedPairs(tuple(right[account_id] for account_id in sorted(right)), tuple(wrong))


def count_held(pairs: Iterable[Pair], held: dict[UUID, UUID]) -> int:
    """Return how many of these accounts stay elsewhere for now, because a pin holds them there."""
    return sum(held.get(pair.account_id, pair.territory_id) != pair.territory_id for pair in pairs)
