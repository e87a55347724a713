"""The versions that a key waits for, in words and from the tables."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Of a key that waits for a version, the first that it lacks and the one before the first that it has.
_MISSING = text("""
SELECT coalesce(w.version, 0) + 1 AS first, min(r.version) - 1 AS last
FROM parked_keys k
JOIN parked_records r USING (consumer, topic, aggregateid)
LEFT JOIN consumer_watermarks w USING (consumer, topic, aggregateid)
WHERE k.reason = 'gap' AND k.consumer = :consumer AND k.topic = :topic AND k.aggregateid = :key
GROUP BY w.version
""")


def versions(first: int, last: int) -> str:
    """Say which versions: `2`, or `2 to 3`."""
    return str(first) if first == last else f"{first} to {last}"


async def missing_versions(read: AsyncConnection, *, consumer: str, topic: str, key: str) -> str | None:
    """Return the versions that a key waits for, None when it waits for none."""
    row = (await read.execute(_MISSING, {"consumer": consumer, "topic": topic, "key": key})).one_or_none()
    return None if row is None else versions(row.first, row.last)
