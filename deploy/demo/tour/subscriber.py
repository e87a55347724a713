"""An ordinary Kafka consumer, as any other system would write it: it knows the topic and CloudEvents, no more."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition

from deploy.demo.failing import DemoFailed
from deploy.local.topics import client_settings_from_environment, prefix_from_environment

TOPIC = "assignment.account.events.v1"
ALIGNED = "assignment.account.aligned.v1"


@dataclass(frozen=True)
class Event:
    """A CloudEvent in binary mode: attributes in the headers, data in the value."""

    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    data: dict[str, Any]


class Subscriber:
    """Reads the events of one topic from now on, in a group of its own."""

    def __init__(self, bootstrap_servers: str, topic: str = TOPIC) -> None:
        self._topic = prefix_from_environment() + topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": f"tour-{uuid4()}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                **client_settings_from_environment(),
            }
        )
        self._consumer.assign(self._ends())

    def events_of(self, activation_id: str, *, count: int, seconds: float) -> list[Event]:
        """Return the aligned events of an activation once `count` have come, each once.

        Kafka delivers at least once: what comes twice is told apart by the event's id.
        """
        return self.wait_for(
            lambda event: event.data["activation_id"] == activation_id, count=count, seconds=seconds
        )

    def wait_for(
        self,
        wanted: Callable[[Event], bool],
        *,
        count: int,
        seconds: float,
        event_type: str = ALIGNED,
    ) -> list[Event]:
        """Return events of the type that are wanted, each once, as soon as so many have come."""
        found: dict[str, Event] = {}
        deadline = time.monotonic() + seconds
        while len(found) < count:
            for event in self._poll():
                if event.headers.get("ce_type") == event_type and wanted(event):
                    found[event.headers["ce_id"]] = event
            if time.monotonic() > deadline:
                raise DemoFailed(f"{len(found)} of {count} {event_type} events came in {seconds:.0f} s")
        return list(found.values())

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _ends(self) -> list[TopicPartition]:
        partitions = self._consumer.list_topics(self._topic, timeout=20).topics[self._topic].partitions
        places = [TopicPartition(self._topic, number) for number in partitions]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=20)[1]
        return places

    def _poll(self) -> list[Event]:
        events = []
        for message in self._consumer.consume(500, timeout=0.2):
            if (error := message.error()) is not None:
                raise DemoFailed(f"Kafka: {error}")
            told: Any = message
            headers = {name: value.decode() for name, value in told.headers() or ()}
            events.append(
                Event(told.partition(), told.offset(), told.key().decode(), headers, json.loads(told.value()))
            )
        return events
