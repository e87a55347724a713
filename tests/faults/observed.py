"""What is really there: every record of a topic, and rows of tables, read without any of the product's code."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.checks import Record
from tests.faults.tampering.witness import digest_of

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as Kafka has it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    def header(self, name: str) -> str:
        """Return a header as text; empty when it is not there."""
        return (self.headers.get(name) or b"").decode(errors="replace")


class Log:
    """Topics of one deployment, by their names without the prefix."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._bootstrap = bootstrap_servers
        self._prefix = prefix

    def physical(self, topic: str) -> str:
        """Return the topic's name on the cluster."""
        return self._prefix + topic

    def admin(self) -> Any:
        """Return a client that can ask about topics."""
        return AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 0})

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end of every partition. Raises when no broker answers."""
        consumer = self._consumer()
        try:
            return self._bounds(consumer, topic, 1)
        finally:
            consumer.close()

    def read(self, topic: str) -> list[Raw]:
        """Return every record there is, partition by partition, in the order of offsets."""
        consumer = self._consumer()
        try:
            begins, ends = self._bounds(consumer, topic, 0), self._bounds(consumer, topic, 1)
            name = self._prefix + topic
            left = {partition for partition, end in ends.items() if end > begins[partition]}
            consumer.assign([TopicPartition(name, partition, begins[partition]) for partition in left])
            found: list[Raw] = []
            while left:
                message = consumer.poll(_TIMEOUT)
                if message is None or message.error() is not None:
                    raise RuntimeError(f"{topic} could not be read to its end: {left}")
                found.append(_raw(topic, message))
                if message.offset() >= ends[message.partition()] - 1:
                    left.discard(message.partition())
        finally:
            consumer.close()
        return sorted(found, key=lambda raw: (raw.partition, raw.offset))

    def _bounds(self, consumer: Any, topic: str, which: int) -> dict[int, int]:
        name = self._prefix + topic
        partitions = consumer.list_topics(name, timeout=_TIMEOUT).topics[name].partitions
        return {
            number: consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_TIMEOUT)[which]
            for number in partitions
        }

    def _consumer(self) -> Any:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "observer",
                "enable.auto.commit": False,
                "log_level": 0,
                "fetch.wait.max.ms": 50,
            }
        )


def events_of(raws: Iterable[Raw]) -> list[Record]:
    """Return the records that are readable CloudEvents with a key and a version."""
    return [
        _event(raw) for raw in raws if raw.key and raw.header("ce_aggregateversion").isdigit() and raw.value
    ]


def _event(raw: Raw) -> Record:
    content = json.loads(raw.value or b"{}")
    number = content.get("employees") if "employees" in content else None
    return Record(
        raw.topic,
        raw.partition,
        raw.offset,
        (raw.key or b"").decode(),
        int(raw.header("ce_aggregateversion")),
        raw.header("ce_id"),
        # Accounts are registered with no employees: only a command tells of some.
        number or None,
        digest_of(raw.header("ce_type"), content),
    )


def _raw(topic: str, message: Any) -> Raw:
    headers = {name: value for name, value in message.headers() or () if value is not None}
    return Raw(topic, message.partition(), message.offset(), message.key(), message.value(), headers)


class Database:
    """Rows for whoever asks, as the administrator."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """Run one statement on a connection of its own. Raises what asyncpg raises."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self._url, timeout=10, command_timeout=60)
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                await connection.close()

        return asyncio.run(run())

    def value(self, statement: str, *arguments: Any) -> Any:
        """Return the first column of the first row."""
        return self.rows(statement, *arguments)[0][0]

    def run(self, statements: str) -> None:
        """Run statements that return nothing."""

        async def run() -> None:
            connection = await asyncpg.connect(self._url, timeout=10)
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(run())


def answered(look: Callable[[], Any]) -> Any:
    """Return what `look` finds, None while the part it asks is away."""
    try:
        return look()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, KafkaException):
        return None
