import asyncio

import asyncpg
from alembic import command

from shared.db.migrations import alembic_config, upgrade

_SHAPE = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'metrics'::regnamespace ORDER BY 1, 2
"""


async def shape(database):
    """Read every column of every relation of the schema."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        return [tuple(row) for row in await connection.fetch(_SHAPE)]
    finally:
        await connection.close()


async def test_migrations_go_down_and_up_again(database):
    before = await shape(database)
    down = alembic_config(service="metrics", url=database.owner_url)
    await asyncio.to_thread(command.downgrade, down, "base")
    assert {relation for relation, *_ in await shape(database)} == {"alembic_version", "alembic_version_pkc"}
    await asyncio.to_thread(upgrade, service="metrics", url=database.owner_url)
    assert await shape(database) == before
