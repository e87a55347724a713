"""The reading half of the port: polls that are never cancelled, commits that are only a hint.

Who owns a partition is Kafka's opinion and may change at any moment; the truth about progress is a row in
Postgres. So the rebalance listener sets flags and nothing else.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as ClientPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.kafka.access import KafkaAccess
from shared.kafka.broker_away import BrokerAway
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.kafka.starting import start_client, stop_client
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_HINT_SECONDS = 5.0
# How long the client waits for an answer. It has to outlast a rebalance, whose answer comes at its end.
_REQUEST_SECONDS = 40.0

Polled = dict[TopicPartition, list[IncomingRecord]]


class Poller:
    """One member of a consumer group (classic protocol)."""

    def __init__(self, access: KafkaAccess, *, group_id: str, topics: Sequence[str]) -> None:
        self._access = access
        self._topics = [access.physical(topic) for topic in topics]
        self._listener = _Flags()
        self._options: dict[str, Any] = {
            **access.client_options(),
            "client_id": group_id,
            "group_id": access.physical(group_id),
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "request_timeout_ms": int(_REQUEST_SECONDS * 1000),
            "session_timeout_ms": 15_000,
            "heartbeat_interval_ms": 3_000,
            "rebalance_timeout_ms": 30_000,
            "max_poll_interval_ms": 300_000,
            # As much as one transaction takes (reader.py): smaller fetches would make smaller, dearer transactions.
            "max_partition_fetch_bytes": 1_048_576,
            "fetch_max_wait_ms": 500,
        }
        self._client: Any = None
        self._silent_until = 0.0

    async def start(self) -> None:
        """Join the group; waits for as long as no broker answers."""
        self._client = await start_client(self._subscribed)

    def _subscribed(self) -> Any:
        client = AIOKafkaConsumer(**self._options)
        client.subscribe(self._topics, listener=self._listener)
        return client

    async def close(self) -> bool:
        """Leave the group within five seconds."""
        client, self._client = self._client, None
        return client is None or await stop_client(client)

    async def poll(self, *, timeout_ms: int = 500, max_records: int = 5_000) -> Polled:
        """Return what has come, by partition. Never cancel it: a cancelled getmany hangs the client for good.

        Nothing is handed out of a partition whose assignment was not taken yet. It would come from the group's
        position, whatever was sought before: a reader that takes it for what its seek found would accept a hole where
        records are. Whoever takes the assignment seeks, and so reads what was left out.
        """
        try:
            polled = await self._client.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except KafkaError as error:
            # Fetch errors are per partition and come again if they last; lag and the watchdog tell of them.
            log.warning("poll failed", error=type(error).__name__, detail=str(error))
            return {}
        logical = self._access.logical
        return {
            TopicPartition(topic := logical(place.topic), place.partition): [
                IncomingRecord(topic, place.partition, r.offset, r.key, r.value, r.headers) for r in records
            ]
            for place, records in polled.items()
            if self._listener.knows(place)
        }

    def take_newly_assigned(self) -> set[TopicPartition]:
        """Return the partitions assigned since the last call that are still ours."""
        fresh, self._listener.assigned = self._listener.assigned, set()
        return {self._logical(place) for place in fresh & self._client.assignment()}

    def assignment(self) -> set[TopicPartition]:
        """Return the partitions that Kafka says are ours."""
        if self._client is None:
            return set()
        return {self._logical(place) for place in self._client.assignment()}

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Read on from an offset; nothing happens when the partition has moved to another member."""
        try:
            self._client.seek(self._physical(place), offset)
        except IllegalStateError:
            log.info("seek on a partition that moved", topic=place.topic, partition=place.partition)

    def pause(self, places: Iterable[TopicPartition]) -> None:
        """Read nothing from these until resumed."""
        self._client.pause(*self._held(places))

    def resume(self, places: Iterable[TopicPartition]) -> None:
        """Read from these again."""
        self._client.resume(*self._held(places))

    async def hint_commits(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell Kafka how far we are, for lag displays and quick starts; failing is of no consequence.

        Nothing is told while the group rebalances. A commit would wait behind our own JoinGroup, which the broker
        answers first, and arrive with the generation before it. aiokafka takes the refusal for news about the
        generation it has just got, and joins again under a new name; the group then waits for the old one until
        its session ends, we go on telling, and it never comes to rest.

        Nothing is told either while something told before may still be under way. Giving up an answer does not take
        the commit back: a broker that stood still would be told everything that piled up, and refuse it all.
        """
        if not self._listener.settled or time.monotonic() < self._silent_until:
            return
        held = self._client.assignment()
        known = {self._physical(p): offset for p, offset in offsets.items() if self._physical(p) in held}
        if not known:
            return
        try:
            # Without a coordinator a commit is retried for ever; nobody needs it that much.
            async with asyncio.timeout(_HINT_SECONDS):
                await self._client.commit(known)
        except TimeoutError:
            self._silent_until = time.monotonic() + _REQUEST_SECONDS
            log.info("offset hint not answered")
        except (KafkaError, IllegalStateError) as error:
            log.info("offset hint refused", error=type(error).__name__)

    async def beginning_offset(self, place: TopicPartition) -> int:
        """Return the first offset that the log still has. Raises BrokerAway."""
        with _answering():
            found = await self._client.beginning_offsets([self._physical(place)])
        offset: int = found[self._physical(place)]
        return offset

    async def end_offset(self, place: TopicPartition) -> int:
        """Return the offset that the next record will get. Raises BrokerAway."""
        with _answering():
            found = await self._client.end_offsets([self._physical(place)])
        offset: int = found[self._physical(place)]
        return offset

    def highwater(self, place: TopicPartition) -> int | None:
        """Return the end of the log as of the last fetch, if any came yet."""
        try:
            offset: int | None = self._client.highwater(self._physical(place))
        except (IllegalStateError, AssertionError):
            return None
        return offset

    async def missing_topics(self, topics: Iterable[str]) -> set[str]:
        """Return those of the topics that the cluster does not have. Raises BrokerAway."""
        physical = {self._access.physical(topic): topic for topic in topics}
        with _answering():
            found = await self._client.topics()
        return {topic for name, topic in physical.items() if name not in found}

    def seconds_since_rebalance(self) -> float:
        """Return how long the assignment has stood."""
        return time.monotonic() - self._listener.changed_at

    def _logical(self, place: Any) -> TopicPartition:
        return TopicPartition(self._access.logical(place.topic), place.partition)

    def _physical(self, place: TopicPartition) -> Any:
        return ClientPartition(self._access.physical(place.topic), place.partition)

    def _held(self, places: Iterable[TopicPartition]) -> list[Any]:
        return [p for p in map(self._physical, places) if p in self._client.assignment()]


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise BrokerAway(str(error)) from error


class _Flags(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Remembers what was assigned. The client may hand records out after `revoked` and before `assigned` runs."""

    def __init__(self) -> None:
        self.assigned: set[Any] = set()
        self.settled = False
        self.changed_at = time.monotonic()

    def knows(self, place: Any) -> bool:
        """Tell whether a partition's assignment stands and was taken."""
        return self.settled and place not in self.assigned

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        # Called before the group is joined, each time and with whatever is held.
        self.settled = False
        self.assigned.difference_update(revoked)
        self.changed_at = time.monotonic()

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        self.assigned.update(assigned)
        self.settled = True
        self.changed_at = time.monotonic()
