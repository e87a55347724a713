"""A metrics database, commands run in it, and the api over it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.bootstrap import build_app
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.settings import Settings
from shared.db.transact import Transactor
from shared.testing.frozen_clock import FrozenClock
from shared.testing.tokens import Issuer
from tests.service.metrics.telling import A_DAY, TREE, activated, aligned, fact, recorded, territory


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


@pytest.fixture
def organisation(issuer):
    """Headers of an administrator of everything."""
    return issuer.headers("admin")


@pytest.fixture
def northerner(issuer):
    """Headers of a contributor whose scope is the north."""
    return issuer.headers("contributor", territories=[territory("north")])


@pytest.fixture
async def counted(transact):
    """a1 in n1 with 100 USD in March, a2 moved from n2 to s1 in April with 10 USD before and 1 JPY after."""
    await transact(record_trees, [TREE])
    await transact(record_activations, [activated(TREE, sequence=1)])
    in_april = A_DAY + timedelta(days=30)
    await transact(
        record_alignments,
        [
            aligned("a1", "n1", version=1),
            aligned("a2", "n2", version=1),
            aligned("a2", "s1", version=2, valid_from=in_april),
        ],
    )
    await transact(
        apply_facts,
        [
            recorded(
                fact("o1"),
                fact("o2", account_external_id="a2", amount="10.00"),
                fact("o3", account_external_id="a2", amount="1", currency="JPY", occurred_at=in_april),
                fact("o4", account_external_id="stranger", amount="0.05"),
            )
        ],
    )
