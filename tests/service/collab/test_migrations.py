"""The schema's history: up from nothing, down to nothing, up again; and no start on an old schema."""

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest
from alembic import command

from shared.db.migrations import alembic_config, upgrade
from shared.testing.databases import Databases, ServiceDatabase

_OBJECTS = """
SELECT c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'collab'::regnamespace AND c.relname NOT LIKE 'alembic_version%'
ORDER BY 1, 3
"""


async def _objects(database: ServiceDatabase) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return list(await connection.fetch(_OBJECTS))
    finally:
        await connection.close()


async def test_migrations_go_down_and_up_again(databases: Databases):
    database = await databases.for_service("collab")
    first = await _objects(database)
    config = alembic_config(service="collab", url=database.owner_url)
    await asyncio.to_thread(command.downgrade, config, "base")
    assert await _objects(database) == []
    await asyncio.to_thread(upgrade, service="collab", url=database.owner_url)
    assert await _objects(database) == first
    await databases.drop(database)


async def test_the_api_does_not_start_on_an_old_schema(databases: Databases):
    database = await databases.for_service("collab")
    config = alembic_config(service="collab", url=database.owner_url)
    await asyncio.to_thread(command.downgrade, config, "-1")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.collab", "api"],
        env={**os.environ, "COLLAB_DATABASE_URL": database.app_url, "COLLAB_HTTP_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run `migrate`")
    await databases.drop(database)


async def test_the_app_role_can_neither_change_the_schema_nor_read_another(databases: Databases):
    database = await databases.for_service("collab")
    connection = await asyncpg.connect(database.app_url)
    try:
        for statement in (
            "CREATE TABLE collab.mine (x int)",
            "DROP TABLE collab.notes",
            "TRUNCATE collab.notes",
            "ALTER TABLE collab.notes DISABLE TRIGGER ALL",
            "SELECT * FROM assignment.anything",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(statement)
    finally:
        await connection.close()
        await databases.drop(database)
