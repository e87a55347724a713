"""Kafka by hand: raw records, truncation, positions of groups. For faults that injure the log itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

_TIMEOUT = 60.0


class RawKafka:
    """Topics and groups of one deployment, by their names without the prefix."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        settings = {"bootstrap.servers": bootstrap_servers, "log_level": 0}
        self._prefix = prefix
        self._admin = AdminClient(settings)
        self._settings = settings

    def produce(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None,
        headers: Mapping[str, str | bytes] | Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> str | None:
        """Send one record; return why it was refused, if it was. Keys choose partitions as Java's client does."""
        producer = Producer(
            {
                **self._settings,
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "message.max.bytes": 8_000_000,
            }
        )
        refused: list[Any] = []
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        producer.produce(
            self._prefix + topic,
            value,
            key,
            partition=-1 if partition is None else partition,
            headers=[(name, v if isinstance(v, bytes) else v.encode()) for name, v in pairs],
            on_delivery=lambda error, _message: refused.append(error),
        )
        producer.flush(_TIMEOUT)
        if not refused:
            return "not delivered in time"
        return None if refused[0] is None else str(refused[0])

    def truncate(self, topic: str, partition: int, *, before: int) -> None:
        """Cut off the beginning of a partition, as retention would."""
        place = TopicPartition(self._prefix + topic, partition, before)
        for future in self._admin.delete_records([place]).values():
            future.result(_TIMEOUT)

    def move_group(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        """Set a group's committed positions; it must have no members."""
        places = [TopicPartition(self._prefix + topic, part, at) for part, at in positions.items()]
        asked = ConsumerGroupTopicPartitions(self._prefix + group, places)
        for future in self._admin.alter_consumer_group_offsets([asked]).values():
            for place in future.result(_TIMEOUT).topic_partitions:
                if place.error is not None:
                    raise KafkaException(place.error)

    def delete_group(self, group: str) -> None:
        """Forget a group and its positions; it must have no members."""
        for future in self._admin.delete_consumer_groups([self._prefix + group]).values():
            future.result(_TIMEOUT)
