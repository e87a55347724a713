"""Databases for tests, cloned from a migrated template: every test commits for real and sees no other.

A clone takes about 40 ms, a migration about a second; the template is made once per run, by whichever
test process comes first.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db import migrations
from shared.db.engine import build_engine
from shared.db.migrations import alembic_config, upgrade

_LOCK = "SELECT pg_advisory_lock(hashtext('test templates'))"


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One database with one service's schema in it."""

    service: str
    name: str
    app_url: str
    owner_url: str
    admin_url: str

    def build_engine(self, *, pool_size: int = 5) -> AsyncEngine:
        """Build an engine as the service's own processes do, with the rights of its app role."""
        return build_engine(self.app_url, schema=self.service, application_name="test", pool_size=pool_size)


class Databases:
    """Makes and drops databases on one server, whose roles are those of deploy/postgres/roles.sql.

    `origin` is the database that has the schemas and extensions and no tables; nobody may be connected to it.
    """

    def __init__(self, admin_url: str, *, origin: str = "bailiwick") -> None:
        self._admin_url = admin_url
        self._origin = origin

    async def for_service(self, service: str) -> ServiceDatabase:
        """Return a fresh clone with the service's schema at head."""
        written = _digest_of_migrations(service)

        async def migrate(template: ServiceDatabase) -> None:
            # Alembic runs a loop of its own.
            await asyncio.to_thread(upgrade, service=service, url=template.owner_url)

        return await self._clone(await self._template(f"template_{service}_{written}", service, migrate))

    async def with_statements(self, service: str, statements: Sequence[str]) -> ServiceDatabase:
        """Return a fresh clone whose schema was made by some statements, run by its owner."""

        async def execute(template: ServiceDatabase) -> None:
            connection = await asyncpg.connect(template.owner_url)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]
        return await self._clone(await self._template(f"template_{service}_{digest}", service, execute))

    async def drop(self, database: ServiceDatabase) -> None:
        """Drop a clone, whoever is still connected."""
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _template(
        self, name: str, service: str, fill: Callable[[ServiceDatabase], Awaitable[None]]
    ) -> ServiceDatabase:
        database = self._named(name, service)
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(_LOCK)
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                return database
            # Filled under another name: a template that is there is complete.
            unfinished = self._named(f"{name}_unfinished", service)
            await connection.execute(f'DROP DATABASE IF EXISTS "{unfinished.name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{unfinished.name}" TEMPLATE "{self._origin}"')
            await fill(unfinished)
            await connection.execute(f'ALTER DATABASE "{unfinished.name}" RENAME TO "{name}"')
        finally:
            await connection.close()
        return database

    async def _clone(self, template: ServiceDatabase) -> ServiceDatabase:
        database = self._named(f"test_{template.service}_{uuid4().hex[:12]}", template.service)
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(f'CREATE DATABASE "{database.name}" TEMPLATE "{template.name}"')
        finally:
            await connection.close()
        return database

    def _named(self, name: str, service: str) -> ServiceDatabase:
        def url(role: str) -> str:
            return (
                make_url(self._admin_url)
                .set(username=role, password=role, database=name)
                .render_as_string(hide_password=False)
            )

        admin = make_url(self._admin_url).set(database=name).render_as_string(hide_password=False)
        return ServiceDatabase(service, name, url(f"{service}_app"), url(f"{service}_owner"), admin)


def _digest_of_migrations(service: str) -> str:
    # Of what is written, not of the head's name: on a server that outlives a run an edited migration is a new one.
    folder = Path(ScriptDirectory.from_config(alembic_config(service=service)).dir)
    backbone = Path(migrations.__file__).parent / "sql"
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("versions/*.py"), *backbone.glob("*.sql")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
