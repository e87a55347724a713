"""What moves of accounts do to handoffs. Pure.

Every move supersedes the account's unfinished handoff: the side that was to receive it has lost the
account. Who holds the knowledge is then the territory it leaves if that had accepted it, and else that
handoff's `from`, not the territory the account merely passed through:

- back home (`to` is the side that knows): nothing is owed, none is opened;
- onward: one is opened from the side that knows;
- into a gap, or by no activation (an import changed the account): none is opened, nobody planned it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.collab.handoffs.handoff import Handoff, HandoffState


@dataclass(frozen=True, slots=True)
class Move:
    """An account left a territory for another one; None is a gap."""

    account_id: UUID
    from_territory_id: UUID | None
    to_territory_id: UUID | None
    activation_id: UUID | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A handoff that is sent, rejected or accepted; until it is, the side it starts from holds the knowledge."""

    handoff: Handoff
    from_territory_id: UUID


@dataclass(frozen=True, slots=True)
class Opened(Unfinished):
    """A handoff to be opened."""

    to_territory_id: UUID
    activation_id: UUID
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Superseded:
    """A handoff that a move made pointless, as it is from then on."""

    handoff: Handoff
    by_activation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a batch of moves does. A handoff may be opened and superseded by the same batch."""

    opened: tuple[Opened, ...]
    superseded: tuple[Superseded, ...]


def follow_moves(
    moves: Iterable[Move], unfinished: Iterable[Unfinished], new_id: Callable[[], UUID]
) -> Consequences:
    """Work out the consequences of moves, in order; `unfinished` holds the handoffs of their accounts."""
    current: dict[UUID, list[Unfinished]] = {}
    for item in unfinished:
        current.setdefault(item.handoff.account_id, []).append(item)
    opened: list[Opened] = []
    superseded: list[Superseded] = []
    for move in moves:
        before = current.pop(move.account_id, [])
        superseded += [Superseded(item.handoff.supersede(), move.activation_id) for item in before]
        after = _owed(move, before, new_id)
        if after is not None:
            opened.append(after)
            current[move.account_id] = [after]
    return Consequences(tuple(opened), tuple(superseded))


def _owed(move: Move, before: Sequence[Unfinished], new_id: Callable[[], UUID]) -> Opened | None:
    source, target = move.from_territory_id, move.to_territory_id
    if source is None or target is None or move.activation_id is None:
        return None
    knowing = next((item.from_territory_id for item in before if not _is_accepted(item)), source)
    if knowing == target:
        return None
    sent = Handoff.send(new_id(), move.account_id)
    return Opened(sent, knowing, target, move.activation_id, move.effective_at)


def _is_accepted(item: Unfinished) -> bool:
    return item.handoff.state is HandoffState.ACCEPTED
