"""The loop that every consumer runs: poll, apply each partition in its own transaction, then hint to Kafka.

Its correctness is in Postgres (batches.py): an offset row under a lock and a version per key. Whatever Kafka
does meanwhile (rebalance, repeat, rewind), the row decides.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kafka.access import KafkaAccess
from shared.kafka.broker_away import BrokerAway
from shared.kafka.poller import Polled, Poller
from shared.kafka.records import TopicPartition
from shared.messaging import metrics
from shared.messaging.batches import Batches
from shared.messaging.reader import PartitionReader
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.messaging.transient import is_transient
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger
from shared.runtime.stopping import unless_told

log = get_logger(__name__)

STALLED_SECONDS = 60.0
_HINT_SECONDS = 1.0
_PROMPT_SECONDS = 1.0
TOPIC_CHECK_SECONDS = 2.0


class Consumer:
    """A named reader of topics; its name is its Kafka group and its rows in the progress tables."""

    def __init__(
        self,
        name: str,
        subscriptions: Sequence[Subscription],
        *,
        engine: AsyncEngine,
        clock: Clock,
        access: KafkaAccess,
        source: str,
        concurrency: int = 4,
    ) -> None:
        self.name = name
        self._poller = Poller(access, group_id=name, topics=[s.topic for s in subscriptions])
        self._batches = {
            s.topic: Batches(name, s, engine=engine, clock=clock, source=source) for s in subscriptions
        }
        metrics.begin_counting(name, self._batches)
        self._readers: dict[TopicPartition, PartitionReader] = {}
        self._busy: dict[TopicPartition, asyncio.Task[None]] = {}
        self._paused: set[TopicPartition] = set()
        # Set when a partition takes what waited for it, or ends.
        self._room = asyncio.Event()
        # Bounded by connections: more transactions at once than that only wait for each other.
        self._slots = asyncio.Semaphore(concurrency)
        self._hinted_at = 0.0
        self.ready = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Read until told to stop; a batch that has begun is finished."""
        try:
            if await unless_told(stopping, self._start()):
                await self._read_until(stopping)
        finally:
            self.ready = False
            await self._poller.close()

    async def _read_until(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await self._take_over(stopping)
            self._hand_out(await self._poller.poll(timeout_ms=200))
            await self._gather()
            self._show_lag()
            await self._hint(at_most_every=_HINT_SECONDS)
        if self._busy:
            await asyncio.wait(self._busy.values())
        await self._hint(at_most_every=0)

    def assignment(self) -> set[TopicPartition]:
        """Return the partitions this member reads."""
        return self._poller.assignment()

    def stalled(self) -> list[TopicPartition]:
        """Return the partitions that have records to read and made no progress for a minute."""
        now = time.monotonic()
        return [
            reader.place
            for reader in self._readers.values()
            if reader.stopped is None
            and (self._lag(reader) or 0) > 0
            and now - max(reader.progressed_at, now - self._poller.seconds_since_rebalance())
            > STALLED_SECONDS
        ]

    def stopped(self) -> dict[TopicPartition, str]:
        """Return the partitions that wait for an operator, with the reason."""
        return {reader.place: reader.stopped for reader in self._readers.values() if reader.stopped}

    async def _start(self) -> None:
        await self._poller.start()
        topics = {topic for name in self._batches for topic in (name, dead_letter_topic(name, self.name))}
        while missing := await self._missing(topics):
            log.error("topics are missing", consumer=self.name, topics=sorted(missing))
            await asyncio.sleep(TOPIC_CHECK_SECONDS)
        self.ready = True

    async def _missing(self, topics: set[str]) -> set[str]:
        try:
            return await self._poller.missing_topics(topics)
        except BrokerAway:
            return topics

    async def _take_over(self, stopping: asyncio.Event) -> None:
        """Start newly assigned partitions where Postgres says.

        Batches check that by themselves. But where the group's position is beyond what there is to read, none comes:
        what cannot be looked up now is therefore looked up beside the others until it can be.
        """
        for place in self._poller.take_newly_assigned():
            reader = self._reader(place, stopping)
            reader.waiting.close()
            if reader.stopped is None:
                try:
                    await reader.begin()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("start not looked up", topic=place.topic, error=type(error).__name__)
            self._work_on(place, reader)
        held = self._poller.assignment()
        for place in self._readers.keys() - held:
            self._readers.pop(place).leave()

    def _hand_out(self, polled: Polled) -> None:
        for place, records in polled.items():
            reader = self._readers.get(place)
            if reader is not None:
                reader.waiting.put(records)
                self._work_on(place, reader)

    def _work_on(self, place: TopicPartition, reader: PartitionReader) -> None:
        if place not in self._busy and reader.has_work():
            task = asyncio.create_task(reader.work(self._room.set))
            task.add_done_callback(lambda _: self._room.set())
            self._busy[place] = task

    async def _gather(self) -> None:
        """Let go of what is done, and wait a moment for partitions that have more waiting than they need.

        Polling goes on while partitions are busy: what comes waits for its partition alone. It stops for a moment when
        one falls behind, then goes on without that one: a member that does not poll is put out of the group. Pausing
        throws away what the client fetched ahead, so it is kept for partitions in trouble.
        """
        self._let_go()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROMPT_SECONDS):
                while self._full() - self._paused:
                    self._room.clear()
                    await self._room.wait()
                    self._let_go()
        full, stopped = self._full(), self.stopped().keys()
        self._poller.resume(self._paused - full - stopped)
        self._paused = full
        # Again for those that were: a rebalance forgets who was paused.
        self._poller.pause(full | stopped)

    def _let_go(self) -> None:
        """Forget the tasks that are done; a partition that has work by now begins another."""
        for place in [place for place, task in self._busy.items() if task.done()]:
            self._busy.pop(place).result()
            reader = self._readers.get(place)
            if reader is not None:
                self._work_on(place, reader)

    def _full(self) -> set[TopicPartition]:
        """Return the partitions that are busy and have as much waiting."""
        return {
            place
            for place in self._busy
            if (r := self._readers.get(place)) is not None and r.waiting.is_full()
        }

    def _reader(self, place: TopicPartition, stopping: asyncio.Event) -> PartitionReader:
        if place not in self._readers:
            self._readers[place] = PartitionReader(
                place, self._batches[place.topic], self._poller, stopping, self._slots
            )
        return self._readers[place]

    async def _hint(self, *, at_most_every: float) -> None:
        if time.monotonic() - self._hinted_at < at_most_every:
            return
        self._hinted_at = time.monotonic()
        await self._poller.hint_commits(
            {r.place: r.applied_to for r in self._readers.values() if r.applied_to is not None}
        )

    def _show_lag(self) -> None:
        for reader in self._readers.values():
            lag = self._lag(reader)
            if lag is not None:
                metrics.LAG.labels(self.name, reader.place.topic, str(reader.place.partition)).set(lag)

    def _lag(self, reader: PartitionReader) -> int | None:
        highwater = self._poller.highwater(reader.place)
        if highwater is None or reader.applied_to is None:
            return None
        return max(0, highwater - reader.applied_to)
