"""Where benches run: a Postgres and a Kafka of their own with the settings of `make run`, not those of tests."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.testing.databases import Databases
from tests.engines import engines_in_earnest
from tests.processes import ServiceProcesses


@dataclass(frozen=True, slots=True)
class Stage:
    """The engines of one bench run."""

    databases: Databases
    kafka_bootstrap: str
    admin_url: str
    folder: Path

    @asynccontextmanager
    async def processes_of(self, service: str) -> AsyncIterator[ServiceProcesses]:
        """Have a database of a service at head, topics and keys, ready for its processes to be started."""
        template = (await self.databases.for_service(service)).name
        with ServiceProcesses(
            self.admin_url, self.kafka_bootstrap, self.new_folder(), template=template
        ) as processes:
            yield processes

    def new_folder(self) -> Path:
        """Make a folder for the logs and keys of some processes."""
        return Path(tempfile.mkdtemp(dir=self.folder))


@contextmanager
def engines() -> Iterator[Stage]:
    """Start both engines, and end them."""
    with engines_in_earnest("bench") as own:
        yield Stage(Databases(own.admin_url), own.bootstrap_servers, own.admin_url, own.folder)
