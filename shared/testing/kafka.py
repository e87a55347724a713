"""Kafka for tests: topics of one's own on a shared broker, and a client that is not the one under test."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from shared.kafka.access import KafkaAccess

_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as librdkafka sees it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    def header(self, name: str) -> bytes | None:
        """Return the last header by that name."""
        return dict(self.headers).get(name)


class KafkaSandbox:
    """Topics under a prefix that no other test has; names given and returned are logical."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.access = KafkaAccess(
            bootstrap_servers=bootstrap_servers, topic_prefix=f"test-{uuid4().hex[:12]}."
        )
        self._settings: dict[str, Any] = {"bootstrap.servers": bootstrap_servers, "log_level": 0}
        self._admin = AdminClient(self._settings)
        # Sent exactly as told, without batching: tests decide about offsets.
        self._producer = Producer({**self._settings, "partitioner": "murmur2_random", "linger.ms": 0})

    async def create_topics(
        self, partitions: Mapping[str, int], *, settings: Mapping[str, str] | None = None
    ) -> None:
        """Create topics and wait until they are there."""
        new = [
            NewTopic(self.access.physical(name), count, 1, config=dict(settings or {}))
            for name, count in partitions.items()
        ]
        await asyncio.to_thread(self._create, new)

    async def delete_records(self, topic: str, partition: int, *, before: int) -> None:
        """Cut off the beginning of a partition, as retention would."""
        place = TopicPartition(self.access.physical(topic), partition, before)
        await asyncio.to_thread(lambda: [f.result() for f in self._admin.delete_records([place]).values()])

    async def produce(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int | None = None,
    ) -> None:
        """Send one record and wait until it is there."""
        await asyncio.to_thread(self._produce, topic, value, key, list(headers), partition)

    async def read(self, topic: str) -> list[RawRecord]:
        """Return all records of a topic, partition by partition."""
        return await asyncio.to_thread(self._read, topic)

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the end of every partition."""
        return await asyncio.to_thread(self._end_offsets, topic)

    async def commit_offset(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Claim a position on behalf of a consumer group that has no members now."""

        def commit() -> None:
            consumer = self._consumer(self.access.physical(group))
            place = TopicPartition(self.access.physical(topic), partition, offset)
            consumer.commit(offsets=[place], asynchronous=False)
            consumer.close()

        await asyncio.to_thread(commit)

    def _create(self, new: list[NewTopic]) -> None:
        for answer in self._admin.create_topics(new, operation_timeout=_TIMEOUT).values():
            answer.result()

    def _produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: list[tuple[str, str | bytes | None]],
        partition: int | None,
    ) -> None:
        errors: list[object] = []
        self._producer.produce(
            self.access.physical(topic),
            value,
            key,
            partition=-1 if partition is None else partition,
            headers=headers,
            on_delivery=lambda error, _message: errors.append(error),
        )
        self._producer.flush(_TIMEOUT)
        if errors != [None]:
            raise RuntimeError(f"not produced: {errors}")

    def _end_offsets(self, topic: str) -> dict[int, int]:
        consumer = self._consumer("reader")
        physical = self.access.physical(topic)
        found = consumer.list_topics(physical, timeout=_TIMEOUT).topics[physical].partitions
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(physical, number), timeout=_TIMEOUT)[1]
            for number in found
        }
        consumer.close()
        return ends

    def _read(self, topic: str) -> list[RawRecord]:
        ends = self._end_offsets(topic)
        consumer = self._consumer("reader")
        physical = self.access.physical(topic)
        consumer.assign([TopicPartition(physical, number, 0) for number in ends])
        found: list[RawRecord] = []
        reached = {number for number, end in ends.items() if end == 0}
        while len(reached) < len(ends):
            message = consumer.poll(_TIMEOUT)
            if message is None or message.error() is not None:
                raise RuntimeError(f"{topic} could not be read to its end")
            told: Any = message
            record = RawRecord(
                topic,
                told.partition(),
                told.offset(),
                told.key(),
                told.value(),
                tuple(told.headers() or ()),
            )
            found.append(record)
            if record.offset >= ends[record.partition] - 1:
                reached.add(record.partition)
        consumer.close()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {
                **self._settings,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )
