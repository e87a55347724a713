"""Everything on the topics of an installation, read by a subscriber that shares no code with the product."""

import json
from collections import defaultdict
from dataclasses import dataclass
from uuid import uuid4

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, TopicPartition

_TIMEOUT = 20.0


@dataclass(frozen=True)
class Heard:
    """A record as an event of the CloudEvents SDK, which refuses what is no valid CloudEvent."""

    topic: str
    partition: int
    offset: int
    key: str
    event: BaseCloudEvent
    data: dict

    @property
    def version(self) -> int:
        return int(self.event.get_extension("aggregateversion"))


class EventLog:
    """Reads all topics under a prefix from their beginning, in a consumer group of its own."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._prefix = prefix
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": f"independent-{uuid4()}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": False,
            }
        )

    def read(self) -> dict[str, list[Heard]]:
        """Return what every topic holds now, partition by partition."""
        ends = self._ends()
        self._consumer.assign([TopicPartition(topic, number, 0) for topic, number in ends])
        heard: dict[str, list[Heard]] = defaultdict(list)
        left = {place for place, end in ends.items() if end}
        while left:
            message = self._consumer.poll(_TIMEOUT)
            assert message is not None, f"nothing came of {left}"
            assert message.error() is None, message.error()
            place = (message.topic(), message.partition())
            heard[message.topic().removeprefix(self._prefix)].append(self._event(message))
            if message.offset() >= ends[place] - 1:
                left.discard(place)
        self._consumer.close()
        return heard

    def _ends(self) -> dict[tuple[str, int], int]:
        topics = self._consumer.list_topics(timeout=_TIMEOUT).topics
        places = [
            (name, number)
            for name, topic in topics.items()
            if name.startswith(self._prefix)
            for number in topic.partitions
        ]
        return {
            place: self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=_TIMEOUT)[1]
            for place in places
        }

    def _event(self, message) -> Heard:
        headers = dict(message.headers() or ())
        event = from_binary(KafkaMessage(headers, message.key(), message.value()), JSONFormat())
        return Heard(
            message.topic().removeprefix(self._prefix),
            message.partition(),
            message.offset(),
            message.key().decode(),
            event,
            json.loads(message.value()),
        )
