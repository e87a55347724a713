"""The one way to a database: pool, server-side limits, pinned search path."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.runtime.probes import Check

ROLE_LIMITS = {
    # What may wait how long: a request never queues behind a lock for longer than its client would.
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "15s",
}


def build_engine(
    url: str,
    *,
    schema: str,
    application_name: str,
    pool_size: int = 10,
    limits: dict[str, str] | None = None,
    command_timeout: float = 60,
) -> AsyncEngine:
    """Build an engine whose sessions see their own schema, in UTC, with the limits of their role."""
    server_settings = {
        "application_name": application_name,
        "search_path": f"{schema},public",
        "timezone": "UTC",
        "jit": "off",
        **(ROLE_LIMITS if limits is None else limits),
    }
    return create_async_engine(
        # The driver reads the address itself: it knows libpq's parameters (sslmode, several hosts), SQLAlchemy does not.
        "postgresql+asyncpg://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        # Errors go to the log; what callers sent does not.
        hide_parameters=True,
        connect_args={
            "dsn": url,
            "server_settings": server_settings,
            "command_timeout": command_timeout,
            "timeout": 5,
        },
    )


def answering(engine: AsyncEngine) -> Check:
    """Return the check that the database answers."""

    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check


async def begin_snapshot(connection: AsyncConnection) -> None:
    """Make the connection's coming transaction read one snapshot and write nothing."""
    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
