"""All processes of the three services, and a small demo organisation in them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.organisation import found_organisation
from deploy.demo.progress import Steps
from deploy.demo.seeding import Seeding
from tests.processes import ALL, ServiceProcesses

ACCOUNTS = 600


@pytest.fixture(scope="package")
def processes(
    postgres_url: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcesses]:
    folder: Path = tmp_path_factory.mktemp("processes")
    with ServiceProcesses(postgres_url, kafka_bootstrap, folder) as running:
        running.start(*ALL)
        yield running


@pytest.fixture(scope="package")
def seeded(processes: ServiceProcesses) -> ServiceProcesses:
    seeding = Seeding(processes.installation(), Steps(Console(quiet=True)))
    assert seeding.find() is None
    seeding.seed(found_organisation(ACCOUNTS), datetime.now(UTC).date())
    found = seeding.find()
    assert found is not None
    assert found.accounts == ACCOUNTS
    return processes
