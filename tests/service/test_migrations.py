"""Every schema's history: up from nothing, down to nothing, up again; no start on an old one; who may do what."""

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest
from alembic import command

from shared.db.migrations import alembic_config, upgrade
from shared.testing.databases import ServiceDatabase
from tests.architecture.source import SERVICES
from tests.conftest import NewDatabase

pytestmark = pytest.mark.parametrize("service", SERVICES)

# What a migration can make: columns, constraints, indexes, views, functions.
_OBJECTS = """
SELECT c.relname || '.' || a.attname AS name,
    format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
        AS definition
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE c.relnamespace = to_regnamespace($1) AND c.relname NOT LIKE 'alembic_version%'
UNION ALL
SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = to_regnamespace($1) AND conrelid::regclass::text NOT LIKE '%alembic_version'
UNION ALL
SELECT tablename || '.' || indexname, indexdef FROM pg_indexes
WHERE schemaname = $1 AND tablename <> 'alembic_version'
UNION ALL
SELECT viewname, definition FROM pg_views WHERE schemaname = $1
UNION ALL
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = to_regnamespace($1)
ORDER BY 1, 2
"""


async def _objects(database: ServiceDatabase) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        return [tuple(row) for row in await connection.fetch(_OBJECTS, database.service)]
    finally:
        await connection.close()


async def test_migrations_go_down_and_up_again(service_database: NewDatabase, service: str):
    database = await service_database(service)
    first = await _objects(database)
    assert len(first) > 100
    await asyncio.to_thread(
        command.downgrade, alembic_config(service=service, url=database.owner_url), "base"
    )
    assert await _objects(database) == []
    await asyncio.to_thread(upgrade, service=service, url=database.owner_url)
    assert await _objects(database) == first


async def test_the_api_does_not_start_on_an_old_schema(service_database: NewDatabase, service: str):
    database = await service_database(service)
    config = alembic_config(service=service, url=database.owner_url)
    await asyncio.to_thread(command.downgrade, config, "-1")
    told = {"ENVIRONMENT": "development", "DATABASE_URL": database.app_url, "HTTP_PORT": "0"}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", f"services.{service}", "api"],
        env=os.environ | {f"{service.upper()}_{name}": value for name, value in told.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run `migrate`")


async def test_the_app_role_can_neither_change_the_schema_nor_read_another(
    service_database: NewDatabase, service: str
):
    database = await service_database(service)
    other = next(name for name in SERVICES if name != service)
    connection = await asyncpg.connect(database.app_url)
    try:
        assert await connection.fetch(f"SELECT 1 FROM {service}.outbox") == []
        for statement in (
            f"CREATE TABLE {service}.mine (x int)",
            f"DROP TABLE {service}.outbox",
            f"TRUNCATE {service}.outbox",
            f"ALTER TABLE {service}.outbox DISABLE TRIGGER ALL",
            f"SELECT * FROM {other}.anything",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
