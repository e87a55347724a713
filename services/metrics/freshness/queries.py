"""As of when the figures are, and how far the consumers of this service have come."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_AS_OF = text("SELECT now()")
_PARTITIONS = text("""
SELECT consumer, topic, partition, next_offset FROM consumer_offsets ORDER BY consumer, topic, partition
""")
_WAITING = text("""
SELECT (SELECT count(*) FROM parked_keys), (SELECT count(DISTINCT account_id) FROM stale_accounts),
       (SELECT count(*) FROM fact_conflicts)
""")


class PartitionProgress(NamedTuple):
    """Everything before `next_offset` is in the figures."""

    consumer: str
    topic: str
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """As of when figures are read."""

    as_of: datetime


@dataclass(frozen=True, slots=True)
class Progress(Freshness):
    """What was read, and what waits: for an operator, for the worker, for whoever sent contradicting facts."""

    partitions: list[PartitionProgress]
    parked_keys: int
    unpublished_accounts: int
    conflicting_facts: int


async def find_freshness(read: AsyncConnection) -> Freshness:
    """Return the instant of the snapshot that is read."""
    return Freshness((await read.execute(_AS_OF)).scalar_one())


async def find_progress(read: AsyncConnection) -> Progress:
    """Return it with what counts for the whole organisation."""
    as_of = (await find_freshness(read)).as_of
    partitions = [PartitionProgress(*row) for row in await read.execute(_PARTITIONS)]
    return Progress(as_of, partitions, *(await read.execute(_WAITING)).one())
