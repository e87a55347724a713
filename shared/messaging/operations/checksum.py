"""A checksum of what tables hold, whatever the order of their rows.

The sums, modulo 2^64, of two hashes of each row's text: an additive multiset hash (AdHash; Bellare and Micciancio,
"A New Paradigm for Collision-Free Hashing", 1997). It finds accidents, which is its purpose, not forgeries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Checksum:
    """How many rows, and what they add up to (32 hexadecimal digits)."""

    rows: int
    digest: str


async def checksum_tables(
    connection: AsyncConnection, schema: str, tables: Sequence[str]
) -> dict[str, Checksum]:
    """Return the checksum of each table."""
    return {table: await _checksum(connection, f"SELECT * FROM {schema}.{table}") for table in tables}


async def checksum_parked(connection: AsyncConnection, schema: str, *, consumer: str, topic: str) -> Checksum:
    """Return the checksum of the keys that wait."""
    return await _checksum(
        connection,
        f"SELECT aggregateid, reason FROM {schema}.parked_keys WHERE consumer = :consumer AND topic = :topic",
        consumer=consumer,
        topic=topic,
    )


async def _checksum(connection: AsyncConnection, rows: str, **binds: str) -> Checksum:
    found = await connection.execute(
        text(f"""
            SELECT count(*) AS rows, coalesce(sum(hashtextextended(r::text, 0)::numeric), 0) AS first,
                   coalesce(sum(hashtextextended(r::text, 1)::numeric), 0) AS second
            FROM ({rows}) AS r
        """),
        binds,
    )
    row = found.one()
    return Checksum(row.rows, f"{int(row.first) % 2**64:016x}{int(row.second) % 2**64:016x}")
