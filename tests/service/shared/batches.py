"""Records made by hand, for tests that need no broker."""

from shared.contracts.envelope import EventContract
from shared.kafka.records import IncomingRecord, TopicPartition
from tests.service.shared import toy


def place(topic: str, partition: int = 0) -> TopicPartition:
    return TopicPartition(topic, partition)


def record(
    offset: int, event: EventContract, version: int | None, *, value: bytes | None = None
) -> IncomingRecord:
    return IncomingRecord(
        topic=event.TOPIC,
        partition=0,
        offset=offset,
        key=event.key.encode(),
        value=event.model_dump_json().encode() if value is None else value,
        headers=toy.headers_of(event, version),
    )


async def applied(query, key: str) -> list[int]:
    """Versions of a key as the ledger has them, in the order of their application."""
    return [v for (v,) in await query("SELECT version FROM ledger WHERE key = :key ORDER BY entry", key=key)]
