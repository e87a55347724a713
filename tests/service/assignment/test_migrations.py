"""The schema's history: up from nothing, down to nothing, up again; and no start on an old schema."""

import asyncio
import os
import subprocess
import sys

import asyncpg
from alembic import command

from shared.db.migrations import alembic_config, upgrade
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


async def test_the_api_does_not_start_on_an_old_schema(databases: Databases) -> None:
    database = await databases.for_service("assignment")
    config = alembic_config(service="assignment", url=database.owner_url)
    await asyncio.to_thread(command.downgrade, config, "-1")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.assignment", "api"],
        env={**os.environ, "ASSIGNMENT_DATABASE_URL": database.app_url, "ASSIGNMENT_HTTP_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run `migrate`")
    await databases.drop(database)
