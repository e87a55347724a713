"""Where a partition is read on when what was polled does not follow on what was applied."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared.kafka.broker_away import BrokerAway
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.batches import Outcome
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


async def test_a_seek_that_was_not_made_is_no_reason_to_accept_a_hole(monkeypatch):
    """Kafka did not answer when it was to be sought, and the same records are tried again."""
    reader = reading(position := Position())
    reader.batches = batches = Sparse()  # type: ignore[assignment]
    refusals = [BrokerAway("away")]
    answer = position.end_offset

    async def end_offset(place: Any) -> int:
        if refusals:
            raise refusals.pop()
        return await answer(place)

    monkeypatch.setattr(position, "end_offset", end_offset)
    await reader.apply(AHEAD)
    assert position.sought == [APPLIED_TO]
    assert batches.accepted == []
    await reader.apply(AHEAD)
    assert batches.accepted == [500]


class Sparse(Behind):
    """Batches of a log that has holes."""

    subscription = SimpleNamespace(order="none")

    def __init__(self) -> None:
        self.accepted: list[int] = []

    async def apply(self, place: Any, chunk: Any, *, accept_hole: bool = False) -> Outcome:
        if not accept_hole:
            await super().apply(place, chunk)
        self.accepted += [record.offset for record in chunk]
        return Outcome(chunk[-1].offset + 1, applied=len(chunk))


class Recording(Behind):
    """Batches that note what each transaction gets, and let `meanwhile` happen during the first."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.meanwhile: Callable[[], None] | None = meanwhile
        self.transactions: list[list[int]] = []

    async def apply(self, _place: Any, chunk: Any) -> Outcome:
        self.transactions.append([record.offset for record in chunk])
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return Outcome(chunk[-1].offset + 1, applied=len(chunk))


def records(*offsets: int, size: int = 0) -> list[IncomingRecord]:
    return [IncomingRecord("t", 0, offset, b"k", b"." * size, ()) for offset in offsets]


async def begun(position: Position | None = None) -> PartitionReader:
    """A reader whose position has been looked up."""
    reader = reading(position or Position())
    await reader.begin()
    return reader


async def test_what_comes_during_a_transaction_goes_into_the_next_one_together():
    reader = await begun()
    reader.batches = applied = Recording(
        lambda: (reader.waiting.put(records(301)), reader.waiting.put(records(302, 303)))
    )  # type: ignore[assignment, func-returns-value]
    taken = []
    reader.waiting.put(records(300))
    await reader.work(lambda: taken.append(reader.has_work()))
    assert applied.transactions == [[300], [301, 302, 303]]
    assert taken == [False, False]


async def test_polls_that_do_not_follow_on_each_other_are_transactions_of_their_own():
    """A hole is told from a transaction's first record where logs may have holes."""
    reader = await begun()
    reader.batches = applied = Recording(lambda: None)  # type: ignore[assignment]
    for each in (records(300, 301), records(302), records(320, 322), records(323)):
        reader.waiting.put(each)
    await reader.work(lambda: None)
    assert applied.transactions == [[300, 301, 302], [320, 322, 323]]


async def test_nothing_is_taken_before_the_position_is_looked_up():
    reader = await begun(position := Position())
    reader.waiting.put(records(300))
    reader.waiting.close()
    reader.waiting.put(records(310))
    reader.batches = applied = Recording(lambda: None)  # type: ignore[assignment]
    assert reader.has_work()
    await reader.work(lambda: None)
    assert applied.transactions == []
    assert position.sought == [APPLIED_TO, APPLIED_TO]
    assert not reader.has_work()


async def test_a_seek_forgets_what_waited_from_elsewhere():
    reader = await begun(position := Position())
    reader.waiting.put(AHEAD)
    await reader.begin()
    assert position.sought == [APPLIED_TO, APPLIED_TO]
    assert not reader.has_work()


async def test_a_partition_that_left_or_stopped_takes_nothing():
    gone = await begun()
    gone.waiting.put(AHEAD)
    gone.leave()
    truncated = await begun()
    truncated.waiting.put(AHEAD)
    truncated.batches.begin = at_offset_beyond_the_end  # type: ignore[method-assign]
    await truncated.begin()
    truncated.waiting.put(records(*range(300, 900)))
    assert truncated.stopped is not None
    assert not gone.has_work()
    assert not truncated.has_work()
    assert not truncated.waiting.is_full()


async def at_offset_beyond_the_end(_place: Any, *, at: int) -> int:
    return ENDS + 1


@pytest.mark.parametrize(("number", "size", "full"), [(499, 0, False), (500, 0, True), (1, 1_048_576, True)])
async def test_a_partition_is_full_when_a_transaction_of_its_own_waits(number, size, full):
    reader = await begun()
    reader.waiting.put(records(*range(300, 300 + number), size=size))
    assert reader.waiting.is_full() is full
