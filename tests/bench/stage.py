"""Where benches run: a Postgres and a Kafka of their own with the settings of `make run`, not those of tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.testing.databases import Databases
from tests.engines import engines_in_earnest


@dataclass(frozen=True, slots=True)
class Stage:
    """The engines of one bench run."""

    databases: Databases
    kafka_bootstrap: str


@contextmanager
def engines() -> Iterator[Stage]:
    """Start both engines, and end them."""
    with engines_in_earnest("bench") as own:
        yield Stage(Databases(own.admin_url), own.bootstrap_servers)
