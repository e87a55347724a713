"""Keys that wait, and the records that wait with them, in the order of their versions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kafka.records import IncomingRecord
from shared.messaging.classification import KeyState, ParkReason
from shared.messaging.dead_letter_record import outbox_key, pack_headers, unpack_headers
from shared.messaging.decoding import Decoded

_READ_RECORDS = text("""
SELECT partition, record_offset, aggregateid, version, record_key, record_value, record_headers, error, parked_at
FROM parked_records
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
ORDER BY aggregateid, version, record_offset LIMIT CAST(:limit AS bigint)
""")
_READ_PARTITIONS = text("""
SELECT DISTINCT partition FROM parked_records WHERE consumer = :consumer AND topic = :topic AND aggregateid = :key
ORDER BY partition
""")
_PARK_RECORDS = text("""
INSERT INTO parked_records (consumer, topic, partition, record_offset, aggregateid, version,
                            record_key, record_value, record_headers, error, parked_at)
SELECT :consumer, :topic, r.partition, r.record_offset, r.aggregateid, r.version,
       r.record_key, r.record_value, CAST(r.record_headers AS jsonb), r.error, :now
FROM unnest(CAST(:partitions AS int[]), CAST(:offsets AS bigint[]), CAST(:keys AS text[]),
            CAST(:versions AS bigint[]), CAST(:record_keys AS bytea[]), CAST(:record_values AS bytea[]),
            CAST(:record_headers AS text[]), CAST(:errors AS text[]))
     AS r (partition, record_offset, aggregateid, version, record_key, record_value, record_headers, error)
ON CONFLICT (consumer, topic, partition, record_offset) DO UPDATE SET error = excluded.error
""")
_PARK_KEYS = text("""
INSERT INTO parked_keys (consumer, topic, aggregateid, reason, parked_at)
SELECT :consumer, :topic, k.key, k.reason, :now
FROM unnest(CAST(:keys AS text[]), CAST(:reasons AS text[])) AS k (key, reason)
ON CONFLICT (consumer, topic, aggregateid) DO UPDATE SET reason = excluded.reason
""")
_FORGET_APPLIED = text("""
DELETE FROM parked_records p
USING unnest(CAST(:keys AS text[]), CAST(:versions AS bigint[])) AS k (key, version)
WHERE p.consumer = :consumer AND p.topic = :topic AND p.aggregateid = k.key AND p.version <= k.version
""")
_UNPARK = text("""
DELETE FROM parked_keys
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
""")


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that waits."""

    record: IncomingRecord
    key: str
    version: int | None
    error: str | None
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Parking:
    """What one consumer parked of one topic."""

    consumer: str
    topic: str

    async def partitions_of(self, connection: AsyncConnection, key: str) -> list[int]:
        """Return the partitions that a key's parked records came from: one, but for a topic that was recreated."""
        return list((await connection.execute(_READ_PARTITIONS, {**self._names, "key": key})).scalars())

    async def records_of(
        self, connection: AsyncConnection, keys: Iterable[str], *, limit: int | None = None
    ) -> list[ParkedRecord]:
        """Return the parked records of some keys, in order; the first ones only where there is a limit."""
        rows = await connection.execute(_READ_RECORDS, {**self._names, "keys": sorted(keys), "limit": limit})
        return [
            ParkedRecord(
                record=IncomingRecord(
                    topic=self.topic,
                    partition=row.partition,
                    offset=row.record_offset,
                    key=row.record_key,
                    value=row.record_value,
                    headers=unpack_headers(row.record_headers),
                ),
                key=row.aggregateid,
                version=row.version,
                error=row.error,
                parked_at=row.parked_at,
            )
            for row in rows
        ]

    async def park(
        self,
        connection: AsyncConnection,
        records: Iterable[Decoded],
        errors: Mapping[int, str],
        *,
        now: datetime,
    ) -> None:
        """Keep records for later; `errors` says, by offset, what is wrong with those that do not only queue."""
        rows = [
            (
                decoded.record.partition,
                decoded.record.offset,
                decoded.key or outbox_key(decoded.record),
                decoded.version,
                decoded.record.key,
                decoded.record.value,
                json.dumps(pack_headers(decoded.record.headers)),
                errors.get(decoded.record.offset),
            )
            for decoded in records
        ]
        if rows:
            names = ("partitions", "offsets", "keys", "versions", "record_keys", "record_values")
            columns = [list(column) for column in zip(*rows, strict=True)]
            arrays = dict(zip((*names, "record_headers", "errors"), columns, strict=True))
            await connection.execute(_PARK_RECORDS, {**self._names, **arrays, "now": now})

    async def write_keys(
        self, connection: AsyncConnection, states: Mapping[str, KeyState], *, now: datetime
    ) -> None:
        """Park and un-park keys, and forget records that were applied or overtaken."""
        parked = {key: state.parked for key, state in states.items() if state.parked is not None}
        if parked:
            arrays = {"keys": list(parked), "reasons": [str(reason) for reason in parked.values()]}
            await connection.execute(_PARK_KEYS, {**self._names, **arrays, "now": now})
        free = [key for key in states if key not in parked]
        if free:
            await connection.execute(_UNPARK, {**self._names, "keys": free})
        # What diverged stands below what was applied, and is no leftover.
        settled = {key: state.seen for key, state in states.items() if parked.get(key) != ParkReason.DIVERGED}
        versions = {"keys": list(settled), "versions": list(settled.values())}
        await connection.execute(_FORGET_APPLIED, {**self._names, **versions})

    @property
    def _names(self) -> dict[str, object]:
        return {"consumer": self.consumer, "topic": self.topic}
