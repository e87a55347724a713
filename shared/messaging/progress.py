"""How far a consumer is, in Postgres: the row whose lock decides who applies, and a version per key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kafka.records import TopicPartition
from shared.messaging.classification import KeyState, ParkReason

_READ = text("""
SELECT next_offset FROM consumer_offsets
WHERE consumer = :consumer AND topic = :topic AND partition = :partition
""")
_LOCK = text("""
SELECT next_offset FROM consumer_offsets
WHERE consumer = :consumer AND topic = :topic AND partition = :partition FOR UPDATE
""")
_BEGIN = text("""
INSERT INTO consumer_offsets (consumer, topic, partition, next_offset)
VALUES (:consumer, :topic, :partition, :offset) ON CONFLICT DO NOTHING
""")
_ADVANCE = text("""
UPDATE consumer_offsets SET next_offset = :next_offset
WHERE consumer = :consumer AND topic = :topic AND partition = :partition
""")
_READ_KEYS = text("""
SELECT aggregateid AS key, version, NULL AS reason FROM consumer_watermarks
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
UNION ALL
SELECT aggregateid, NULL, reason FROM parked_keys
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
""")
_WRITE_WATERMARKS = text("""
INSERT INTO consumer_watermarks (consumer, topic, aggregateid, version)
SELECT :consumer, :topic, w.key, w.version
FROM unnest(CAST(:keys AS text[]), CAST(:versions AS bigint[])) AS w (key, version)
ON CONFLICT (consumer, topic, aggregateid) DO UPDATE SET version = excluded.version
""")


@dataclass(frozen=True, slots=True)
class Progress:
    """One consumer's progress on one partition."""

    consumer: str
    place: TopicPartition

    async def read(self, connection: AsyncConnection) -> int | None:
        """Return the offset to read next, or None before the first batch."""
        found: int | None = (await connection.execute(_READ, self._names)).scalar()
        return found

    async def lock(self, connection: AsyncConnection) -> int | None:
        """Return the offset to read next, and keep every other member from moving it."""
        found: int | None = (await connection.execute(_LOCK, self._names)).scalar()
        return found

    async def begin(self, connection: AsyncConnection, *, at: int) -> None:
        """Set the start of a partition that was never read; a start that stands is left alone."""
        await connection.execute(_BEGIN, {**self._names, "offset": at})

    async def advance(self, connection: AsyncConnection, *, to: int) -> None:
        """Move the offset."""
        await connection.execute(_ADVANCE, {**self._names, "next_offset": to})

    async def read_keys(self, connection: AsyncConnection, keys: Iterable[str]) -> dict[str, KeyState]:
        """Return what is known of the keys; unknown ones are left out."""
        rows = await connection.execute(_READ_KEYS, {**self._key_names, "keys": sorted(set(keys))})
        seen: dict[str, int] = {}
        parked: dict[str, ParkReason] = {}
        for key, version, reason in rows:
            if reason is None:
                seen[key] = version
            else:
                parked[key] = ParkReason(reason)
        return {key: KeyState(seen.get(key, 0), parked.get(key)) for key in seen.keys() | parked.keys()}

    async def write_versions(self, connection: AsyncConnection, versions: Mapping[str, int]) -> None:
        """Remember the last applied version of each key."""
        if versions:
            await connection.execute(
                _WRITE_WATERMARKS,
                {**self._key_names, "keys": list(versions), "versions": list(versions.values())},
            )

    @property
    def _names(self) -> dict[str, object]:
        return {**self._key_names, "partition": self.place.partition}

    @property
    def _key_names(self) -> dict[str, object]:
        return {"consumer": self.consumer, "topic": self.place.topic}
