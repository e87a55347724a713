"""What moves of accounts do to handoffs. Pure.

Every move supersedes the account's outstanding handoff: the side that was to receive it has lost the
account. Who still holds the knowledge is then that handoff's `from`, not the territory the account merely
passed through:

- back home (`to` is the side that knows): nothing is owed, none is opened;
- onward: one is opened from the side that knows;
- into a gap, or by no activation (an import changed the account): none is opened, nobody planned it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Move:
    """An account left a territory for another one; None is a gap."""

    account_id: UUID
    from_territory_id: UUID | None
    to_territory_id: UUID | None
    activation_id: UUID | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A handoff that is sent or rejected: the side it starts from still holds the knowledge."""

    handoff_id: UUID
    account_id: UUID
    from_territory_id: UUID


@dataclass(frozen=True, slots=True)
class Opened(Outstanding):
    """A handoff to be opened."""

    to_territory_id: UUID
    activation_id: UUID
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Superseded:
    """A handoff that a move made pointless."""

    handoff: Outstanding
    by_activation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a batch of moves does. A handoff may be opened and superseded by the same batch."""

    opened: tuple[Opened, ...]
    superseded: tuple[Superseded, ...]


def follow_moves(
    moves: Iterable[Move], outstanding: Mapping[UUID, Outstanding], new_id: Callable[[], UUID]
) -> Consequences:
    """Work out the consequences of moves, in order; `outstanding` holds each account's handoff."""
    current: dict[UUID, Outstanding | None] = dict(outstanding)
    opened: list[Opened] = []
    superseded: list[Superseded] = []
    for move in moves:
        before = current.get(move.account_id)
        if before is not None:
            superseded.append(Superseded(before, move.activation_id))
        after = _owed(move, before, new_id)
        if after is not None:
            opened.append(after)
        current[move.account_id] = after
    return Consequences(tuple(opened), tuple(superseded))


def _owed(move: Move, before: Outstanding | None, new_id: Callable[[], UUID]) -> Opened | None:
    source, target = move.from_territory_id, move.to_territory_id
    if source is None or target is None or move.activation_id is None:
        return None
    knowing = source if before is None else before.from_territory_id
    if knowing == target:
        return None
    return Opened(new_id(), move.account_id, knowing, target, move.activation_id, move.effective_at)
