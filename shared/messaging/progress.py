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
SELECT aggregateid AS key, version, NULL AS reason FROM consumer_watermarks
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
UNION ALL
SELECT aggregateid, NULL, reason FROM parked_keys
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
""")
# Versions that a release moved which knows no ids have none.
_READ_IDS = text("""
SELECT aggregateid AS key, last_event_id::text AS last_id, highest_event_id::text AS highest_id
FROM consumer_watermarks
WHERE consumer = :consumer AND topic = :topic AND aggregateid = ANY(CAST(:keys AS text[]))
  AND identified_version = version
""")
_WRITE_WATERMARKS = text("""
INSERT INTO consumer_watermarks AS known
    (consumer, topic, aggregateid, version, identified_version, last_event_id, highest_event_id)
SELECT :consumer, :topic, w.key, w.version, w.version, w.last_id, coalesce(w.highest_id, w.last_id)
FROM unnest(CAST(:keys AS text[]), CAST(:versions AS bigint[]), CAST(:last_ids AS uuid[]),
            CAST(:highest_ids AS uuid[])) AS w (key, version, last_id, highest_id)
ON CONFLICT (consumer, topic, aggregateid) DO UPDATE
SET version = excluded.version, identified_version = excluded.version, last_event_id = excluded.last_event_id,
    highest_event_id = CASE WHEN known.identified_version = known.version
        THEN greatest(known.highest_event_id, excluded.highest_event_id) ELSE excluded.highest_event_id END
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

    async def read_ids(self, connection: AsyncConnection, states: Mapping[str, KeyState]) -> None:
        """Add to what is known of keys which events were applied last."""
        if states:
            rows = await connection.execute(_READ_IDS, {**self._key_names, "keys": sorted(states)})
            for key, last_id, highest_id in rows:
                states[key].ids = KnownIds(last_id, highest_id)

    async def write_watermarks(self, connection: AsyncConnection, states: Mapping[str, KeyState]) -> None:
        """Remember the last applied version of each key, and which event had it.

        The highest id rises from what is stored: most batches need not read it.
        """
        if states:
            ids = [state.ids for state in states.values()]
            columns = {
                "versions": [state.seen for state in states.values()],
                "last_ids": [each.last for each in ids],
                "highest_ids": [None if each.highest == each.last else each.highest for each in ids],
            }
            await connection.execute(_WRITE_WATERMARKS, {**self._key_names, "keys": list(states), **columns})

    @property
    def _names(self) -> dict[str, object]:
        return {**self._key_names, "partition": self.place.partition}

    @property
    def _key_names(self) -> dict[str, object]:
        return {"consumer": self.consumer, "topic": self.place.topic}
