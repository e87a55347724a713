"""A metrics database, commands run in it, and the api over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.bootstrap import build_app
from services.metrics.settings import Settings
from shared.db.transact import Transactor
from shared.testing.frozen_clock import FrozenClock
from shared.testing.tokens import Issuer


@pytest.fixture
async def database(service_database):
    """A metrics database of the test's own."""
    return await service_database("metrics")


@pytest.fixture
async def engine(database) -> AsyncIterator[AsyncEngine]:
    """Connections with the rights of the app role."""
    engine = database.build_engine()
    yield engine
    await engine.dispose()


@pytest.fixture
def transact(engine: AsyncEngine, clock: FrozenClock) -> Transactor:
    """Runs commands and handlers."""
    return Transactor(engine, clock, "/test/metrics")


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    """Signs tokens that the api under test accepts."""
    return Issuer()


@pytest.fixture
async def api(database, issuer: Issuer, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole api."""
    settings = Settings(
        environment="development", database_url=database.app_url, auth_jwks=issuer.write_jwks(tmp_path)
    )
    app = build_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
        yield client
    await app.state.parts.engine.dispose()
