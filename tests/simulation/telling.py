"""What is told in the simulation, as rows, records and decoded events: made by the product's own functions.

The same few events are told in every schedule, so what the product makes of them is kept between schedules.
"""

import json
import zlib
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from shared.kafka.records import IncomingRecord, OutgoingRecord
from shared.messaging.decoding import Decoded, decode_record
from shared.messaging.leases import BUCKETS
from shared.messaging.operations.retelling import RETELLS
from shared.messaging.outgoing import to_record
from shared.uuid7 import uuid7_of
from tests.service.shared import toy

EVENTS, FACTS = toy.EVENTS, toy.FACTS
PARTITIONS = {EVENTS: 2, FACTS: 1}
Place = tuple[str, int]
PLACES: tuple[Place, ...] = tuple(
    (topic, number) for topic, count in PARTITIONS.items() for number in range(count)
)
# Two keys share a partition; each is in a bucket of its own.
KEYS = ("ash", "elm", "oak")
SUBSCRIPTIONS = {EVENTS: toy.Ledger().events(), FACTS: toy.Ledger().facts()}
_CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH_MS = int(_CREATED_AT.timestamp() * 1000)


class Told(NamedTuple):
    """One event as a transaction announced it. `command` is the transaction, `number` the event within it.

    `made_at` is the millisecond its row was inserted, by the clock of whoever did; `retells` the id of the event that
    it tells once more.
    """

    topic: str
    key: str
    version: int
    command: int
    number: int
    made_at: int
    retells: str | None = None

    @property
    def event_id(self) -> str:
        """Return its ce_id."""
        return _id_of(self.made_at, self.command, self.number)


@lru_cache(maxsize=200_000)
def _id_of(made_at: int, command: int, number: int) -> str:
    """Stand for the default of outbox.id, uuidv7(): by the millisecond, and within it in the order of insertion."""
    return str(uuid7_of(_EPOCH_MS + made_at, (command << 8) | number))


@cache
def bucket_of(key: str) -> int:
    """Stand for the generated column outbox.bucket: hashtextextended(aggregateid, 0) & 15."""
    return zlib.crc32(key.encode()) % BUCKETS


@lru_cache(maxsize=200_000)
def outgoing(told: Told) -> OutgoingRecord:
    """Return the record that the relay makes of the row."""
    return to_record(_row(told))


def _row(told: Told) -> dict[str, Any]:
    contract = toy.Fact if told.topic == FACTS else (toy.Happened, toy.Renamed)[told.number % 2]
    event = contract(thing=told.key, number=told.command)
    return {
        "id": told.event_id,
        "aggregatetype": told.topic,
        "aggregateid": told.key,
        "type": contract.TYPE,
        "payload": event.model_dump_json(),
        "source": "/toy",
        "dataschema": None,
        "headers": "{}" if told.retells is None else json.dumps({RETELLS: told.retells}),
        "aggregateversion": told.version,
        "created_at": _CREATED_AT,
    }


@lru_cache(maxsize=400_000)
def decoded(told: Told, partition: int, offset: int) -> Decoded:
    """Return what a consumer reads at a place of the log."""
    record = outgoing(told)
    incoming = IncomingRecord(told.topic, partition, offset, record.key, record.value, tuple(record.headers))
    return decode_record(incoming, SUBSCRIPTIONS[told.topic])
