"""How far the consumers of this service are."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_PROGRESS = text("""
SELECT consumer, topic, partition, next_offset FROM consumer_offsets ORDER BY consumer, topic, partition
""")
_WAITING = text("""
SELECT (SELECT count(*) FROM parked_keys), (SELECT count(DISTINCT account_id) FROM stale_accounts),
       (SELECT count(*) FROM fact_conflicts), now()
""")


class PartitionProgress(NamedTuple):
    """Everything before `next_offset` is in the figures."""

    consumer: str
    topic: str
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """Progress, and what waits: for an operator, for the worker, for whoever sent contradicting facts."""

    partitions: list[PartitionProgress]
    parked_keys: int
    unpublished_accounts: int
    conflicting_facts: int
    as_of: datetime


async def find_freshness(read: AsyncConnection) -> Freshness:
    """Return how far the figures are."""
    partitions = [PartitionProgress(*row) for row in await read.execute(_PROGRESS)]
    return Freshness(partitions, *(await read.execute(_WAITING)).one())
