"""The schema's history: up from nothing, down to nothing, up again; and no start on an old schema."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from alembic import command

from services.assignment.bootstrap import check_schema
from services.assignment.settings import Settings
from shared.db.migrations import SchemaNotAtHead, alembic_config, upgrade
from shared.testing.databases import Databases

_OBJECTS = """
SELECT c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'assignment'::regnamespace AND c.relname NOT LIKE 'alembic_version%'
ORDER BY 1, 3
"""


async def test_migrations_go_down_and_up_again(databases: Databases) -> None:
    database = await databases.for_service("assignment")
    config = alembic_config(service="assignment", url=database.owner_url)

    async def objects() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database.owner_url)
        try:
            return list(await connection.fetch(_OBJECTS))
        finally:
            await connection.close()

    first = await objects()
    await asyncio.to_thread(command.downgrade, config, "base")
    assert await objects() == []
    await asyncio.to_thread(upgrade, service="assignment", url=database.owner_url)
    assert await objects() == first
    await databases.drop(database)


async def test_an_old_schema_is_refused(databases: Databases, tmp_path: Path) -> None:
    database = await databases.for_service("assignment")
    settings = Settings(database_url=database.app_url)
    await check_schema(settings)
    config = alembic_config(service="assignment", url=database.owner_url)
    await asyncio.to_thread(command.downgrade, config, "-1")
    with pytest.raises(SchemaNotAtHead):
        await check_schema(settings)
    await databases.drop(database)
