"""Where a partition is read on when what was polled does not follow on what was applied."""

import asyncio
from types import SimpleNamespace
from typing import Any

from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.positions import MOST_SEEKS, OffsetGap
from shared.messaging.reader import PartitionReader

PLACE = TopicPartition("t", 0)
APPLIED_TO, ENDS = 300, 900


class Position:
    """A poller's part: where the log begins and ends, and what was sought."""

    def __init__(self, begins: int = 0) -> None:
        self.begins, self.sought = begins, []

    async def beginning_offset(self, _place: Any) -> int:
        return self.begins

    async def end_offset(self, _place: Any) -> int:
        return ENDS

    def seek(self, _place: Any, offset: int) -> None:
        self.sought.append(offset)

    def pause(self, _places: Any) -> None:
        pass


class Behind:
    """Batches of which Postgres knows less than the group's position says."""

    consumer, subscription = "reader", SimpleNamespace(order="dense")

    async def begin(self, _place: Any, *, at: int) -> int:  # noqa: ARG002
        return APPLIED_TO

    async def apply(self, _place: Any, chunk: Any) -> None:
        raise OffsetGap(expected=APPLIED_TO, found=chunk[0].offset)


def reading(position: Position) -> PartitionReader:
    return PartitionReader(PLACE, Behind(), position, asyncio.Event(), asyncio.Semaphore(1))  # type: ignore[arg-type]


AHEAD = [IncomingRecord("t", 0, 500, b"k", b"", ())]


async def test_a_rebalance_that_undoes_a_seek_stops_nothing():
    reader = reading(position := Position())
    for _ in range(MOST_SEEKS + 1):
        await reader.apply(AHEAD)
        await reader.begin()
    assert reader.stopped is None
    assert set(position.sought) == {APPLIED_TO}


async def test_records_from_the_wrong_position_once_more_stop_nothing():
    """A rebalance in the background resets the position before anybody hears of it."""
    reader = reading(Position())
    await reader.apply(AHEAD)
    await reader.apply(AHEAD)
    assert reader.stopped is None


async def test_records_that_are_gone_stop_the_partition():
    reader = reading(Position(begins=400))
    await reader.apply(AHEAD)
    await reader.apply(AHEAD)
    assert reader.stopped == "records from 300 to 499 are gone (the log begins at 400)"


async def test_a_hole_that_stays_stops_the_partition():
    reader = reading(Position())
    for _ in range(MOST_SEEKS + 1):
        assert reader.stopped is None
        await reader.apply(AHEAD)
    assert reader.stopped == "records from 300 to 499 are gone (the log begins at 0)"
