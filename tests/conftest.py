"""Engines and databases for every test that asks for them; pure tests start nothing."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog
from hypothesis import HealthCheck, settings

from shared.testing.databases import Databases, ServiceDatabase
from shared.testing.frozen_clock import FrozenClock
from shared.testing.kafka import KafkaSandbox
from tests.engines import Engines, address_of

ENGINES = pytest.StashKey[Engines]()
ADDRESS = pytest.StashKey[tuple[str, int]]()

# A machine that is busy with something else fails no test. Examples are the same in every run, so that a red
# run is about the change; `make test EXPLORE=1` looks for new ones.
settings.register_profile(
    "same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", parent=settings.get_profile("same"), derandomize=False)
settings.load_profile("explore" if os.environ.get("EXPLORE") else "same")

NewDatabase = Callable[[str], Awaitable[ServiceDatabase]]


def pytest_configure(config: pytest.Config) -> None:
    """Have one set of engines per run: workers ask the process that started them."""
    # Into the standard library, where pytest captures them.
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    told = getattr(config, "workerinput", None)
    if told is not None:
        config.stash[ADDRESS] = tuple(told["engines"])
        return
    config.stash[ENGINES] = Engines()
    config.stash[ADDRESS] = config.stash[ENGINES].address


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker whom to ask."""
    node.workerinput["engines"] = node.config.stash[ADDRESS]  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the engines with the run."""
    if (engines := config.stash.get(ENGINES, None)) is not None:
        engines.close()


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """Address of the run's Postgres for its superuser, in the maintenance database."""
    return address_of("postgres", request.config.stash[ADDRESS])


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> str:
    """Address of the run's broker."""
    return address_of("kafka", request.config.stash[ADDRESS])


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Databases:
    """Maker of databases, for fixtures that live longer than a test."""
    return Databases(postgres_url)


@pytest.fixture
async def service_database(databases: Databases) -> AsyncIterator[NewDatabase]:
    """Make databases of the test's own, migrated to head."""
    made: list[ServiceDatabase] = []

    async def make(service: str) -> ServiceDatabase:
        made.append(await databases.for_service(service))
        return made[-1]

    yield make
    for database in made:
        await databases.drop(database)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSandbox:
    """Topics of the test's own, none yet."""
    return KafkaSandbox(kafka_bootstrap)


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still."""
    return FrozenClock()
