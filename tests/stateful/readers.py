"""The product's consumers, one pass at a time, over the real Kafka: their polling is told what to read, not when.

Partitions are assigned by the machine instead of by a group's coordinator, whose rebalances take seconds. Positions are
the group's all the same: a new member begins at the last hint, and Postgres decides from there.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kafka.access import KafkaAccess
from shared.kafka.poller import Poller
from shared.kafka.records import TopicPartition
from shared.kafka.starting import start_client
from shared.messaging.consumer import Consumer
from shared.messaging.subscription import Subscription
from shared.runtime.clock import Clock
from tests.stateful.fail_points import Died

SOURCE = "/test/metrics"


class SteppedPoller(Poller):
    """A member that has every partition from the start and for good."""

    def __init__(self, access: KafkaAccess, *, group_id: str, places: Sequence[TopicPartition]) -> None:
        super().__init__(access, group_id=group_id, topics=[place.topic for place in places])
        self._places = [self._physical(place) for place in places]
        self._options["fetch_max_wait_ms"] = 20

    async def start(self) -> None:
        """Connect."""
        self._client = await start_client(lambda: AIOKafkaConsumer(**self._options))
        self._listener.settled = True

    def restart(self) -> None:
        """Forget all positions, as a new process would."""
        self._client.assign(self._places)
        self._listener.on_partitions_assigned(self._places)

    def places(self) -> list[TopicPartition]:
        """Return every partition."""
        return [self._logical(place) for place in self._places]

    async def has_more(self) -> bool:
        """Tell whether any partition goes on beyond what was read of it."""
        ends = await self._client.end_offsets(self._places)
        return any([await self._client.position(place) < ends[place] for place in self._places])

    async def go_to(self, place: TopicPartition, *, share: int) -> None:
        """Read on from somewhere else: a share, in percent, of the way from the log's beginning to its end."""
        begin, end = await self.beginning_offset(place), await self.end_offset(place)
        self.seek(place, begin + (end - begin) * share // 100)

    def drop_position(self) -> None:
        """Have no partition taken up: positions stay where Kafka's hint says."""
        self._listener.assigned.clear()


class SteppedConsumer:
    """One member of one consumer, begun anew after each death."""

    def __init__(self, name: str, poller: SteppedPoller) -> None:
        self.name = name
        self.poller = poller
        self._stopping = asyncio.Event()
        self._consumer: Consumer | None = None
        self._build: Any = None

    def belong_to(
        self, subscriptions: Sequence[Subscription], engine: AsyncEngine, clock: Clock, access: KafkaAccess
    ) -> None:
        """Work on another database from now on."""
        self._consumer = None

        def build() -> Consumer:
            consumer = Consumer(
                self.name, subscriptions, engine=engine, clock=clock, access=access, source=SOURCE
            )
            consumer._poller = self.poller
            return consumer

        self._build = build

    async def step(
        self, *, at_most: int = 5_000, look_up: bool = True, polls: int = 1, rebalanced: bool = False
    ) -> bool:
        """Make one pass of the loop; tell whether there was anything to read. Raises Died.

        What the second and later polls bring waits for the partition. A rebalance comes before the last of them: it is
        heard of by that poll, and its assignment taken after it.
        """
        consumer = self._begun(look_up=look_up)
        try:
            await consumer._take_over(self._stopping)
            more = bool(consumer._busy) or await self.poller.has_more()
            for left in reversed(range(polls if more else 0)):
                if rebalanced and left == 0:
                    self.poller.restart()
                if left == polls - 1 or await self.poller.has_more():
                    consumer._hand_out(await self.poller.poll(timeout_ms=500, max_records=at_most))
            await consumer._gather()
            # A pass ends with what it began, however slow the machine: who dies later would die in a later step.
            while consumer._busy:
                await asyncio.wait(consumer._busy.values())
                await consumer._gather()
            await consumer._hint(at_most_every=0)
        except Died:
            await self.die()
            raise
        assert not consumer.stopped(), consumer.stopped()
        return more

    async def look_up(self) -> None:
        """Be alive, and stand where Postgres says."""
        await self._begun(look_up=True)._take_over(self._stopping)

    def _begun(self, *, look_up: bool) -> Consumer:
        if self._consumer is None:
            self.poller.restart()
            self._consumer = self._build()
            if not look_up:
                self.poller.drop_position()
                for place in self.poller.places():
                    self._consumer._reader(place, self._stopping).waiting.open()
        assert self._consumer is not None
        return self._consumer

    async def die(self) -> None:
        """End where it stands; the tasks of other partitions, too."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            for task in consumer._busy.values():
                task.cancel()
            await asyncio.gather(*consumer._busy.values(), return_exceptions=True)

    async def seek(self, place: TopicPartition, *, share: int) -> None:
        """Have Kafka hand out old records again, or leave some out, if the member is alive."""
        if self._consumer is not None:
            await self.poller.go_to(place, share=share)

    async def wait_for(self, gate_reached: asyncio.Event, step: asyncio.Task[bool]) -> bool:
        """Wait until a pass has come to a gate, or to its end; tell whether it is at the gate."""
        reached = asyncio.ensure_future(gate_reached.wait())
        await asyncio.wait({step, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        return gate_reached.is_set()
