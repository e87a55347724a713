"""Reading a topic as a log, outside any consumer group: where partitions begin and end, and what lies between."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as ClientPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kafka.access import KafkaAccess
from shared.kafka.broker_away import BrokerAway
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.kafka.starting import start_client, stop_client

T = TypeVar("T")

ANSWER_SECONDS = 15.0
# Of a fifth of a second each.
SILENT_POLLS = 75
_MAX_RECORDS = 5_000


class Log:
    """The cluster's topics for one reader. Every question raises BrokerAway when no answer comes in time."""

    def __init__(self, client: Any, access: KafkaAccess, partitions: Mapping[str, int]) -> None:
        self._client = client
        self._access = access
        self._partitions = partitions

    def partitions_of(self, topic: str) -> list[TopicPartition]:
        """Return a topic's partitions in their order; none of a topic that the cluster does not have."""
        count = self._partitions.get(self._access.physical(topic), 0)
        return [TopicPartition(topic, number) for number in range(count)]

    async def begins(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that each partition still has."""
        return self._by_place(await _answer(self._client.beginning_offsets(self._physical(places))))

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that the next record of each partition will get."""
        return self._by_place(await _answer(self._client.end_offsets(self._physical(places))))

    async def read(
        self, place: TopicPartition, *, begin: int, end: int
    ) -> AsyncGenerator[list[IncomingRecord]]:
        """Read the records of one partition from `begin` to before `end`, in batches."""
        [physical] = self._physical([place])
        self._client.assign([physical])
        self._client.seek(physical, begin)
        silent = 0
        while await _answer(self._client.position(physical)) < end:
            if silent > SILENT_POLLS:
                raise BrokerAway(f"Kafka: {place.topic}[{place.partition}] could not be read up to {end}")
            polled = await _answer(self._client.getmany(timeout_ms=200, max_records=_MAX_RECORDS))
            found = [record for record in polled.get(physical, ()) if record.offset < end]
            silent = 0 if found else silent + 1
            if found:
                yield [
                    IncomingRecord(place.topic, place.partition, r.offset, r.key, r.value, r.headers)
                    for r in found
                ]

    async def written_at(self, place: TopicPartition, offset: int) -> int | None:
        """Return the timestamp (Unix milliseconds) of the first record at or after an offset, None at the end."""
        [physical] = self._physical([place])
        self._client.assign([physical])
        self._client.seek(physical, offset)
        polled = await _answer(self._client.getmany(timeout_ms=2_000, max_records=1))
        records = polled.get(physical, ())
        return int(records[0].timestamp) if records else None

    def _physical(self, places: list[TopicPartition]) -> list[Any]:
        return [ClientPartition(self._access.physical(p.topic), p.partition) for p in places]

    def _by_place(self, offsets: dict[Any, int]) -> dict[TopicPartition, int]:
        return {TopicPartition(self._access.logical(p.topic), p.partition): at for p, at in offsets.items()}


@asynccontextmanager
async def open_log(access: KafkaAccess, *, client_id: str) -> AsyncIterator[Log]:
    """Connect for as long as the block lasts. Raises BrokerAway when no broker answers in time."""

    def make() -> Any:
        return AIOKafkaConsumer(
            **access.client_options(),
            client_id=client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )

    client = await _answer(start_client(make))
    try:
        yield Log(client, access, await _count_partitions(access))
    finally:
        await stop_client(client)


async def _count_partitions(access: KafkaAccess) -> dict[str, int]:
    # Of all topics at once: to be asked about one that it does not have, a cluster may take as a wish for it.
    admin = AIOKafkaAdminClient(**access.client_options())
    try:
        await _answer(admin.start())
        topics = await _answer(admin.describe_topics())
    finally:
        await _answer(admin.close())
    return {topic["topic"]: len(topic["partitions"]) for topic in topics}


async def _answer(question: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await question
    except (KafkaError, TimeoutError) as error:
        raise BrokerAway(f"Kafka: {str(error) or f'no answer within {ANSWER_SECONDS:.0f} s'}") from error
