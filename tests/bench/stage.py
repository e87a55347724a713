"""Where benches run: a Postgres and a Kafka of their own with the settings of `make run`, not those of tests."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.roles import apply_roles
from shared.testing.databases import Databases


@dataclass(frozen=True, slots=True)
class Stage:
    """The engines of one bench run."""

    databases: Databases
    kafka_bootstrap: str


@contextmanager
def engines() -> Iterator[Stage]:
    """Start both engines durable (fsync on), and end them."""
    with tempfile.TemporaryDirectory(prefix="bailiwick-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = EmbeddedPostgres(folder / "postgres")
        kafka = EmbeddedKafka(folder / "kafka")
        postgres.start()
        try:
            kafka.start()
            admin_url = postgres.url(database="postgres")
            apply_roles(admin_url)
            yield Stage(Databases(admin_url), kafka.bootstrap_servers)
        finally:
            kafka.stop()
            postgres.stop()
