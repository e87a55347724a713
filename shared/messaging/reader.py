"""One partition's way from polled records to applied ones: chunks, gaps, and errors that pass by themselves."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shared.kafka.poller import Poller
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging import metrics
from shared.messaging.batches import Batches, NotBegun, Outcome
from shared.messaging.positions import GapAnswer, OffsetGap, answer_gap
from shared.messaging.transient import is_transient
from shared.messaging.waiting import MAX_BYTES, MAX_RECORDS, Waiting
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

T = TypeVar("T")

log = get_logger(__name__)

_LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class PartitionReader:
    """Applies what was polled of one partition. `stopped` holds why nothing more is applied."""

    place: TopicPartition
    batches: Batches
    poller: Poller
    stopping: asyncio.Event
    slots: asyncio.Semaphore
    stopped: str | None = None
    applied_to: int | None = None
    progressed_at: float = field(default_factory=time.monotonic)
    waiting: Waiting = field(default_factory=Waiting)
    _sought: int | None = None
    _seeks: int = 0

    def has_work(self) -> bool:
        """Tell whether a position is to be looked up, or records wait that may be applied."""
        if self.stopped is not None or self.stopping.is_set():
            return False
        return not self.waiting.is_open or bool(self.waiting)

    async def work(self, on_taken: Callable[[], None]) -> None:
        """Look up the position, and apply what waits until nothing does.

        What came during one transaction goes into the next.
        """
        while self.has_work():
            if not self.waiting.is_open:
                await self._patiently(self.begin)
                continue
            records = self.waiting.take()
            on_taken()
            await self.apply(records)

    async def apply(self, records: Sequence[IncomingRecord]) -> None:
        """Apply the records, or seek to where reading has to go on."""
        for chunk in chunks(records):
            if self.stopped or self.stopping.is_set() or not await self._apply_chunk(chunk):
                return

    async def _apply_chunk(self, chunk: Sequence[IncomingRecord]) -> bool:
        outcome = await self._patiently(lambda: self._timed(chunk))
        if outcome is None:
            return False
        self._note(outcome)
        behind = outcome.next_offset > chunk[-1].offset + 1
        if behind:
            await self._patiently(lambda: self._read_from(outcome.next_offset))
        return not behind

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Try until it works; a database or a broker that is away is waited for, inside the group."""
        longest = 0.1
        while not self.stopping.is_set():
            try:
                async with self.slots:
                    return await work()
            except Exception as error:
                # Nothing may end the loop but a signal: what remains is retried, loudly.
                known = is_transient(error)
                name = type(error).__name__
                metrics.RETRIES.labels(self.batches.consumer, name).inc()
                log.warning(
                    "batch retried", topic=self.place.topic, error=name, exc_info=None if known else error
                )
                await pause(self.stopping, random.uniform(longest / 2, longest))  # noqa: S311 - jitter
                longest = min(longest * 2, _LONGEST_PAUSE)
        return None

    async def _timed(self, chunk: Sequence[IncomingRecord]) -> Outcome | None:
        started = time.monotonic()
        outcome = await self._once(chunk)
        metrics.BATCH_SECONDS.labels(self.batches.consumer, self.place.topic).observe(
            time.monotonic() - started
        )
        return outcome

    async def _once(self, chunk: Sequence[IncomingRecord]) -> Outcome | None:
        try:
            return await self.batches.apply(self.place, chunk)
        except NotBegun:
            await self.begin()
            return await self._once(chunk)
        except OffsetGap as gap:
            return await self._meet_gap(chunk, gap)

    async def begin(self) -> None:
        """Read from where Postgres says, or from the start of the log for a partition never read.

        What was sought under an earlier assignment tells nothing about this one.
        """
        self._sought, self._seeks = None, 0
        start = await self.poller.beginning_offset(self.place)
        await self._read_from(await self.batches.begin(self.place, at=start))
        if self.stopped is None:
            self.waiting.open()

    async def _read_from(self, offset: int) -> None:
        end = await self.poller.end_offset(self.place)
        if end < offset:
            self._stop(
                f"the log ends at {end}, but {offset} was applied before: it was truncated or recreated"
            )
            return
        self.applied_to = offset
        # What waits was polled before, from elsewhere: applied after this it would look like a second gap.
        self.waiting.forget()
        self.poller.seek(self.place, offset)

    async def _meet_gap(self, chunk: Sequence[IncomingRecord], gap: OffsetGap) -> Outcome | None:
        start = await self.poller.beginning_offset(self.place)
        order = self.batches.subscription.order
        seeks = self._seeks if self._sought == gap.expected else 0
        match answer_gap(gap.expected, seeks=seeks, begins=start, order=order):
            case GapAnswer.SEEK:
                await self._read_from(gap.expected)
                # Not before: a seek that was not made is no reason to accept a hole.
                self._sought, self._seeks = gap.expected, seeks + 1
            case GapAnswer.STOP:
                self._stop(
                    f"records from {gap.expected} to {gap.found - 1} are gone (the log begins at {start})"
                )
            case GapAnswer.ACCEPT:
                return await self.batches.apply(self.place, chunk, accept_hole=True)
        return None

    def _stop(self, reason: str) -> None:
        self.stopped = reason
        self.waiting.close()
        self._show_stopped(1)
        log.critical(
            "partition stopped", topic=self.place.topic, partition=self.place.partition, reason=reason
        )
        self.poller.pause([self.place])

    def leave(self) -> None:
        """Have nothing more to do with the partition: whoever reads it now tells how it fares."""
        self.waiting.forget()
        metrics.LAG.remove(self.batches.consumer, self.place.topic, str(self.place.partition))
        if self.stopped:
            self._show_stopped(0)

    def _show_stopped(self, value: int) -> None:
        metrics.STOPPED.labels(self.batches.consumer, self.place.topic, str(self.place.partition)).set(value)

    def _note(self, outcome: Outcome) -> None:
        self.applied_to, self.progressed_at = outcome.next_offset, time.monotonic()
        self._sought, self._seeks = None, 0
        labels = self.batches.consumer, self.place.topic
        for counter, number in (
            (metrics.APPLIED, outcome.applied),
            (metrics.DUPLICATES, outcome.duplicates),
            (metrics.GAPS, outcome.gaps),
            (metrics.PARKED, outcome.parked),
            (metrics.DEAD, outcome.dead),
            (metrics.DIVERGED, outcome.diverged),
        ):
            if number:
                counter.labels(*labels).inc(number)


def chunks(records: Sequence[IncomingRecord]) -> Iterator[Sequence[IncomingRecord]]:
    """Cut records into batches of bounded number and size, one transaction each."""
    start = size = 0
    for at, record in enumerate(records):
        length = len(record.value or b"")
        if at > start and (at - start >= MAX_RECORDS or size + length > MAX_BYTES):
            yield records[start:at]
            start, size = at, 0
        size += length
    if start < len(records):
        yield records[start:]
