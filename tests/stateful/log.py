"""What lies on the run's topics since the example began, read by librdkafka: a client that is not the one under test."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from shared.contracts.sales import FACTS
from shared.kafka.records import IncomingRecord
from shared.testing.kafka import KafkaSandbox
from tests.faults.checks import Record
from tests.faults.tampering.witness import digest_of

_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Read:
    """A record, with what it tells."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """Return a header's text."""
        return dict(self.headers)[name].decode()

    @property
    def wire_type(self) -> str:
        """Return the type of the event."""
        return self.header("ce_type")

    @property
    def content(self) -> Any:
        """Return the event's members."""
        return json.loads(self.value or b"null")

    @property
    def event_id(self) -> str:
        """Return the event's id."""
        return self.header("ce_id")

    @property
    def version(self) -> int:
        """Return which event of its key it is."""
        return int(self.header("ce_aggregateversion"))

    def record(self) -> Record:
        """Return it as the checks of histories know it, its key beside those of other topics."""
        digest = digest_of(self.wire_type, self.content)
        # A batch of facts is applied as often as it lies in the log, by handlers that count a fact once: what must not
        # come twice is the record.
        event_id = f"{self.partition}:{self.offset}" if self.topic == FACTS else self.event_id
        return Record(
            self.topic,
            self.partition,
            self.offset,
            f"{self.topic} {self.key}",
            self.version,
            event_id,
            digest=digest,
        )

    def incoming(self) -> IncomingRecord:
        """Return it as a consumer reads it."""
        return IncomingRecord(
            self.topic, self.partition, self.offset, self.key.encode(), self.value, self.headers
        )


class Log:
    """All topics, from where each began with the example."""

    def __init__(self, kafka: KafkaSandbox, partitions: Mapping[str, int]) -> None:
        self._kafka = kafka
        self._names = {kafka.access.physical(name): name for name in partitions}
        self._consumer = kafka._consumer("log")
        self._at = {
            (physical, number): 0
            for physical, name in self._names.items()
            for number in range(partitions[name])
        }
        self.records: list[Read] = []

    async def begin(self) -> None:
        """Cut off what was there before: the example's log begins here."""
        await asyncio.to_thread(self._begin)

    async def read(self) -> list[Read]:
        """Return everything that was told since, partition by partition."""
        await asyncio.to_thread(self._read_on)
        return sorted(self.records, key=lambda read: (read.topic, read.partition, read.offset))

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _begin(self) -> None:
        ends = self._ends()
        if any(end > 0 for end in ends.values()):
            grown = [TopicPartition(*place, end) for place, end in ends.items() if end > 0]
            for answer in self._kafka._admin.delete_records(grown).values():
                answer.result()
        self._at = ends
        self.records = []

    def _ends(self) -> dict[tuple[str, int], int]:
        asked = {
            TopicPartition(*place): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for place in self._at
        }
        answers = self._kafka._admin.list_offsets(asked, request_timeout=_TIMEOUT)
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}

    def _read_on(self) -> None:
        left = {place: end for place, end in self._ends().items() if end > self._at[place]}
        if not left:
            return
        self._consumer.assign([TopicPartition(*place, self._at[place]) for place in left])
        while left:
            message: Any = self._consumer.poll(_TIMEOUT)
            assert message is not None, f"nothing came of {left}"
            assert message.error() is None, message.error()
            place = message.topic(), message.partition()
            self.records.append(
                Read(
                    self._names[place[0]],
                    place[1],
                    message.offset(),
                    message.key().decode(),
                    message.value(),
                    tuple(message.headers() or ()),
                )
            )
            self._at[place] = message.offset() + 1
            if place in left and self._at[place] >= left[place]:
                del left[place]
        self._consumer.unassign()
