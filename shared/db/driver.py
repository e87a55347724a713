"""The driver's own connection, for what SQLAlchemy has no words for: LISTEN, COPY, libraries that speak to the driver."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection


async def driver_of(connection: AsyncConnection) -> Any:
    """Return asyncpg's connection behind this one.

    A transaction that a statement has begun here holds there, too; without one every statement stands for itself.
    """
    return (await connection.get_raw_connection()).driver_connection
