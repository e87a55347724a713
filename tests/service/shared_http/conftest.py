"""The toy api over a real database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.http.bootstrap import build_parts
from shared.runtime.settings import ServiceSettings
from shared.testing.databases import Databases, ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.tokens import Issuer
from tests.service.shared_http.toy_api import LIMIT, SERVICE, STATEMENTS, create_app


@dataclass(frozen=True)
class Toy:
    app: FastAPI
    engine: AsyncEngine
    http: httpx.AsyncClient
    issuer: Issuer

    def as_(self, *roles: str, **more: Any) -> dict[str, str]:
        return self.issuer.headers(*roles, **more)

    async def execute(self, sql: str, **binds: object) -> list[Any]:
        async with self.engine.begin() as connection:
            found = await connection.execute(text(sql), binds)
            return list(found.all()) if found.returns_rows else []

    async def add_thing(self, territory_id: UUID | None = None) -> UUID:
        thing_id = uuid4()
        await self.execute("INSERT INTO things VALUES (:thing, :at, 1, 'x')", thing=thing_id, at=territory_id)
        return thing_id


@pytest.fixture(scope="module")
async def toy_database(databases: Databases) -> AsyncIterator[ServiceDatabase]:
    database = await databases.with_statements(SERVICE, STATEMENTS)
    yield database
    await databases.drop(database)


@pytest.fixture
async def toy(toy_database: ServiceDatabase, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Toy]:
    """The tests of a module share a database and find it empty."""
    issuer = Issuer()
    settings = ServiceSettings(
        environment="development",
        database_url=toy_database.app_url,
        auth_jwks=issuer.write_jwks(tmp_path),
        max_body_bytes=LIMIT,
        database_pool_size=25,
    )
    parts = build_parts(settings, service=SERVICE, clock=clock)
    app = create_app(parts)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as http:
        yield Toy(app, parts.engine, http, issuer)
    for table in ("things", "live_closure", "idempotency_keys", "outbox"):
        async with parts.engine.begin() as connection:
            await connection.execute(text(f"DELETE FROM {table}"))
    await parts.engine.dispose()
