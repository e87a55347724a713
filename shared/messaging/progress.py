"""How far a consumer is, in Postgres: the row whose lock decides who applies, and a version per key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kafka.records import TopicPartition
from shared.messaging.classification import KeyState, ParkReason
from shared.messaging.divergence import KnownIds

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
SELECT aggregateid AS key, version, NULL AS reason,
       CASE WHEN identified_version = version THEN last_event_id::text END AS last_id,
       CASE WHEN identified_version = version THEN highest_event_id::text END AS highest_id
FROM consumer_watermarks
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
UNION ALL
SELECT aggregateid, NULL, reason, NULL, NULL FROM parked_keys
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
""")
_WRITE_WATERMARKS = text("""
INSERT INTO consumer_watermarks
    (consumer, topic, aggregateid, version, identified_version, last_event_id, highest_event_id)
SELECT :consumer, :topic, w.key, w.version, w.version, w.last_id, w.highest_id
FROM unnest(CAST(:keys AS text[]), CAST(:versions AS bigint[]), CAST(:last_ids AS uuid[]),
            CAST(:highest_ids AS uuid[])) AS w (key, version, last_id, highest_id)
ON CONFLICT (consumer, topic, aggregateid) DO UPDATE
SET version = excluded.version, identified_version = excluded.version, last_event_id = excluded.last_event_id,
    highest_event_id = excluded.highest_event_id
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
        seen: dict[str, tuple[int, KnownIds]] = {}
        parked: dict[str, ParkReason] = {}
        for key, version, reason, last_id, highest_id in rows:
            if reason is None:
                seen[key] = version, KnownIds(last_id, highest_id)
            else:
                parked[key] = ParkReason(reason)
        states = {key: KeyState(version, parked.get(key), ids=ids) for key, (version, ids) in seen.items()}
        return {**{key: KeyState(0, reason) for key, reason in parked.items()}, **states}

    async def write_watermarks(self, connection: AsyncConnection, states: Mapping[str, KeyState]) -> None:
        """Remember the last applied version of each key, and which event had it."""
        if states:
            columns = {
                "versions": [state.seen for state in states.values()],
                "last_ids": [state.ids.last for state in states.values()],
                "highest_ids": [state.ids.highest for state in states.values()],
            }
            await connection.execute(_WRITE_WATERMARKS, {**self._key_names, "keys": list(states), **columns})

    @property
    def _names(self) -> dict[str, object]:
        return {**self._key_names, "partition": self.place.partition}

    @property
    def _key_names(self) -> dict[str, object]:
        return {"consumer": self.consumer, "topic": self.place.topic}
