"""What the loop does with what it polls while partitions are busy, over polls and transactions that are played."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared.kafka.access import KafkaAccess
from shared.kafka.broker_away import BrokerAway
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging.batches import Outcome
from shared.messaging.consumer import Consumer
from shared.messaging.positions import require_no_gap
from shared.runtime.clock import SystemClock

PLACE = TopicPartition("t", 0)


class Polls:
    """A poller's part: what was assigned, sought and paused."""

    def __init__(self) -> None:
        self.assigned = {PLACE}
        self.sought: list[int] = []
        self.paused: set[TopicPartition] = set()
        self.refusals = 0

    def take_newly_assigned(self) -> set[TopicPartition]:
        fresh, self.assigned = self.assigned, set()
        return fresh

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    def pause(self, places: Any) -> None:
        self.paused |= set(places)

    def resume(self, places: Any) -> None:
        self.paused -= set(places)

    def seek(self, _place: Any, offset: int) -> None:
        self.sought.append(offset)

    async def beginning_offset(self, _place: Any) -> int:
        if self.refusals:
            self.refusals -= 1
            raise BrokerAway("away")
        return 0

    async def end_offset(self, _place: Any) -> int:
        return 1_000_000


class Transactions:
    """Batches that keep what each transaction got; each waits until it may commit."""

    consumer = "reader"

    def __init__(self, order: str) -> None:
        self.subscription = SimpleNamespace(order=order)
        self.next = 300
        self.committed: list[int] = []
        self.may_commit = asyncio.Event()

    async def begin(self, _place: Any, *, at: int) -> int:  # noqa: ARG002
        return self.next

    async def apply(self, _place: Any, chunk: Any, *, accept_hole: bool = False) -> Outcome:
        await self.may_commit.wait()
        fresh: Any = [SimpleNamespace(record=record) for record in chunk if record.offset >= self.next]
        if fresh and not accept_hole:
            require_no_gap(fresh, self.next, self.subscription.order)
        self.committed += [each.record.offset for each in fresh]
        self.next = max(self.next, chunk[-1].offset + 1)
        return Outcome(self.next, applied=len(fresh))


@pytest.fixture
def loop():
    def begin(order: str) -> tuple[Consumer, Polls, Transactions]:
        consumer = Consumer(
            "reader",
            [],
            engine=None,  # type: ignore[arg-type]
            clock=SystemClock(),
            access=KafkaAccess(bootstrap_servers="nowhere:1"),
            source="/test",
        )
        polls, transactions = Polls(), Transactions(order)
        consumer._poller, consumer._batches = polls, {"t": transactions}  # type: ignore[assignment, dict-item]
        return consumer, polls, transactions

    return begin


def records(first: int, end: int) -> list[IncomingRecord]:
    return [IncomingRecord("t", 0, offset, b"k", b"", ()) for offset in range(first, end)]


async def passes(consumer: Consumer, until: Callable[[], bool]) -> None:
    """Make passes of the loop that poll nothing."""
    async with asyncio.timeout(10):
        while not until():
            await consumer._take_over(asyncio.Event())
            consumer._hand_out({})
            await consumer._gather()
            await asyncio.sleep(0)


@pytest.mark.parametrize("order", ["none", "rising", "dense"])
async def test_a_start_that_was_not_looked_up_is_looked_up_when_the_partition_is_free(loop, order):
    """Polls of a partition that is assigned anew are dropped; none of what they held may be missing in the end."""
    consumer, polls, transactions = loop(order)
    await consumer._take_over(asyncio.Event())
    consumer._hand_out({PLACE: records(300, 305)})
    await consumer._gather()
    await asyncio.sleep(0)
    consumer._hand_out({PLACE: records(305, 310)})
    polls.assigned, polls.refusals = {PLACE}, 1
    await consumer._take_over(asyncio.Event())
    consumer._hand_out({PLACE: records(320, 325)})
    transactions.may_commit.set()
    await passes(consumer, lambda: len(polls.sought) > 1 and not consumer._busy)
    assert polls.sought == [300, 305]
    assert transactions.committed == list(range(300, 305))


async def test_a_stopped_partition_stays_paused_and_keeps_nothing(loop):
    consumer, polls, _ = loop("dense")
    await consumer._take_over(asyncio.Event())
    reader = consumer._readers[PLACE]
    reader._stop("gone")
    # A rebalance forgets who was paused.
    polls.paused, polls.assigned = set(), {PLACE}
    await consumer._take_over(asyncio.Event())
    consumer._hand_out({PLACE: records(600, 1_600)})
    await consumer._gather()
    assert polls.paused == {PLACE}
    assert not reader.waiting.is_full()


async def test_who_waits_for_room_hears_of_a_partition_that_is_done(loop, monkeypatch):
    """Neither one that was done before the poll, nor one that gives up what waits for it, keeps all others waiting."""
    monkeypatch.setattr("shared.messaging.consumer._PROMPT_SECONDS", 3_600.0)
    consumer, polls, transactions = loop("dense")
    transactions.may_commit.set()
    await consumer._take_over(asyncio.Event())
    consumer._hand_out({PLACE: records(300, 301)})
    await asyncio.wait(consumer._busy.values())
    consumer._hand_out({PLACE: records(301, 801)})
    async with asyncio.timeout(20):
        await consumer._gather()
    await passes(consumer, lambda: not consumer._busy)
    assert transactions.next == 801
    transactions.may_commit.clear()
    consumer._hand_out({PLACE: records(900, 901)})
    await asyncio.sleep(0)
    consumer._hand_out({PLACE: records(901, 1_401)})
    gathering = asyncio.ensure_future(consumer._gather())
    await asyncio.sleep(0)
    transactions.may_commit.set()
    async with asyncio.timeout(20):
        await gathering
    assert polls.sought[-1] == 801
