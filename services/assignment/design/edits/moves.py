"""Which moves of accounts by hand may be made, row by row. Pure."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

MOST_MOVES = 1_000


@dataclass(frozen=True, slots=True)
class Move:
    """An account, and the territory it is to go to."""

    account_id: UUID
    territory_id: UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account stands in a proposal: today, now, and by the engine; and who may hold it, None: any territory."""

    before: UUID | None
    now: UUID
    proposed: UUID
    permitted: AbstractSet[UUID] | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that may be made, with where the account stands."""

    account_id: UUID
    territory_id: UUID
    place: Place


class WhyNot(StrEnum):
    """Why a move may not be made."""

    NAMED_TWICE = "named-twice"
    UNKNOWN_ACCOUNT = "unknown-account"
    TAKES_NO_PART = "takes-no-part"
    UNKNOWN_TERRITORY = "unknown-territory"
    PINNED = "pinned"
    NOT_PERMITTED = "not-permitted"
    ALREADY_THERE = "already-there"


DETAILS: Mapping[WhyNot, str] = {
    WhyNot.NAMED_TWICE: "the account stands in the list twice",
    WhyNot.UNKNOWN_ACCOUNT: "no account has that id",
    WhyNot.TAKES_NO_PART: "the account takes no part in this run",
    WhyNot.UNKNOWN_TERRITORY: "this run does not design that territory",
    WhyNot.PINNED: "a pin of the draft holds the account elsewhere; remove the pin first",
    WhyNot.NOT_PERMITTED: "nobody who covers that territory meets what the scenario requires of the account's wishes",
    WhyNot.ALREADY_THERE: "the account is there already, and no other is moved",
}


@dataclass(frozen=True, slots=True)
class RefusedMove:
    """A move that may not be made; `row` is its place in the list, from 0."""

    row: int
    account_id: UUID
    why: WhyNot


@dataclass(frozen=True, slots=True)
class SortedMoves:
    """Moves that may be made, those that may not, and how many accounts are where they are to go."""

    right: tuple[Moved, ...]
    wrong: tuple[RefusedMove, ...]
    unchanged: int


def sort_moves(
    moves: Sequence[Move],
    *,
    places: Mapping[UUID, Place],
    unknown: Collection[UUID],
    designed: Collection[UUID],
    held: Mapping[UUID, UUID],
) -> SortedMoves:
    """Hold moves against the proposal, the accounts that there are not, the run's territories, and the draft's pins.

    Who is where it is to go is passed over; a list of nothing else is refused.
    """
    right: list[Moved] = []
    wrong: list[RefusedMove] = []
    there: list[RefusedMove] = []
    seen: set[UUID] = set()
    for row, move in enumerate(moves):
        why = (
            WhyNot.NAMED_TWICE if move.account_id in seen else _why_not(move, places, unknown, designed, held)
        )
        seen.add(move.account_id)
        if why is None:
            right.append(Moved(move.account_id, move.territory_id, places[move.account_id]))
        else:
            kind = there if why is WhyNot.ALREADY_THERE else wrong
            kind.append(RefusedMove(row, move.account_id, why))
    nothing = not right and not wrong
    return SortedMoves(tuple(right), tuple(there if nothing else wrong), 0 if nothing else len(there))


def _why_not(
    move: Move,
    places: Mapping[UUID, Place],
    unknown: Collection[UUID],
    designed: Collection[UUID],
    held: Mapping[UUID, UUID],
) -> WhyNot | None:
    place = places.get(move.account_id)
    if place is None:
        return WhyNot.UNKNOWN_ACCOUNT if move.account_id in unknown else WhyNot.TAKES_NO_PART
    if move.territory_id not in designed:
        return WhyNot.UNKNOWN_TERRITORY
    if place.now == move.territory_id:
        return WhyNot.ALREADY_THERE
    if held.get(move.account_id, move.territory_id) != move.territory_id:
        return WhyNot.PINNED
    if place.permitted is not None and move.territory_id not in place.permitted:
        return WhyNot.NOT_PERMITTED
    return None
