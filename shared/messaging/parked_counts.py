"""How many keys wait, of which consumer and topic, and since when: for `events lag` and for Prometheus."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Of the records: those of topics that know no order wait without their key.
_COUNT = text("""
SELECT r.consumer, r.topic, count(DISTINCT r.aggregateid) AS keys,
       count(DISTINCT r.aggregateid) FILTER (WHERE k.reason = 'diverged') AS diverged, min(r.parked_at) AS since
FROM parked_records r LEFT JOIN parked_keys k USING (consumer, topic, aggregateid)
GROUP BY r.consumer, r.topic
""")


@dataclass(frozen=True, slots=True)
class ParkedCount:
    """Keys that wait, those of them whose publisher went back, and since when the oldest record does."""

    keys: int = 0
    diverged: int = 0
    since: datetime | None = None


async def count_parked(read: AsyncConnection) -> dict[tuple[str, str], ParkedCount]:
    """Return what waits by consumer and topic; those of which nothing does are left out."""
    rows = await read.execute(_COUNT)
    return {(row.consumer, row.topic): ParkedCount(row.keys, row.diverged, row.since) for row in rows}
