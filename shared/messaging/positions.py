"""What the offsets that were read mean beside the offset that was expected. Pure."""

from collections.abc import Sequence
from enum import StrEnum

from shared.contracts.envelope import AggregateOrder
from shared.messaging.decoding import Decoded

# A group's position that is wrong is met once or twice, a hole in the log for ever.
MOST_SEEKS = 5


class OffsetGap(Exception):
    """Records are missing between what was applied and what was read."""

    def __init__(self, *, expected: int, found: int) -> None:
        super().__init__(f"expected offset {expected}, found {found}")
        self.expected = expected
        self.found = found


class GapAnswer(StrEnum):
    """What to do about missing records."""

    SEEK = "seek"
    STOP = "stop"
    ACCEPT = "accept"


def not_applied(decoded: Sequence[Decoded], next_offset: int) -> list[Decoded]:
    """Return what is left of a batch after the records that were applied before."""
    return [each for each in decoded if each.record.offset >= next_offset]


def require_no_gap(fresh: Sequence[Decoded], next_offset: int, order: AggregateOrder) -> None:
    """Raise OffsetGap unless the records follow on what was applied.

    Events are neither compacted nor written in transactions: their offsets have no holes. Elsewhere a hole
    inside a fetch is the log's own; only the first record can tell of a wrong position.
    """
    for decoded in fresh if order == "dense" else fresh[:1]:
        if decoded.record.offset != next_offset:
            raise OffsetGap(expected=next_offset, found=decoded.record.offset)
        next_offset += 1


def answer_gap(expected: int, *, seeks: int, begins: int, order: AggregateOrder) -> GapAnswer:
    """Say what a gap at `expected` calls for, which was sought so many times in vain; the log begins at `begins`.

    The first time Kafka's opinion about our position is taken to be wrong: a stale commit, a rebalance, a
    restored database. Afterwards the records are gone if the log begins later, and else the hole is a log's own that
    has holes. In one that has none, what was read may still be from the wrong position, since a rebalance undoes a
    seek: it stops only when seeking goes on being of no use.
    """
    if seeks == 0:
        return GapAnswer.SEEK
    if begins > expected:
        return GapAnswer.STOP
    if order != "dense":
        return GapAnswer.ACCEPT
    return GapAnswer.SEEK if seeks < MOST_SEEKS else GapAnswer.STOP
