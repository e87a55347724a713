"""Engines of its own and the processes of metrics: what a fault run breaks and mends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from deploy.demo.arrival import totals_of
from deploy.demo.client import Service, wait_until
from deploy.demo.failing import DemoFailed
from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from tests.engines import engines_in_earnest
from tests.faults.facts.ledger import Ledger
from tests.processes import ServiceProcesses

PROCESSES = ("metrics.api", "metrics.relay", "metrics.consumer")


@dataclass
class Stage:
    """Everything that can be killed."""

    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka
    processes: ServiceProcesses

    @property
    def metrics(self) -> Service:
        """Metrics' api for an administrator."""
        return self.processes.api("metrics", role="admin")

    def token(self) -> str:
        """Return the token of an integration that posts facts."""
        return self.processes.token(role="service", subject="load")

    def kill_process(self, name: str) -> None:
        """Kill -9 a process, and start it again as its supervisor would."""
        self.processes.kill(name)
        self.processes.start(name)

    def kill_kafka(self) -> None:
        """Kill -9 the broker and start it again."""
        self.kafka.kill()
        self.kafka.start()

    def kill_postgres(self) -> None:
        """Kill -9 the database server and start it again: it recovers from its log."""
        self.postgres.kill()
        self.postgres.start()

    def records_read(self) -> int:
        """Return how many records of facts are in the figures, by metrics' own word; -1 while it cannot say."""
        try:
            partitions = self.metrics.get("/v1/freshness").body["partitions"]
        except DemoFailed:
            return -1
        return sum(place["next_offset"] for place in partitions if place["consumer"] == "metrics.facts")

    def wait_for_records(self, number: int, *, seconds: float) -> float:
        """Return once so many records are in the figures, and how long it took."""

        def missing() -> str | None:
            read = self.records_read()
            return None if read >= number else f"{read} of {number} records read"

        return wait_until(missing, what="the consumer of facts", seconds=seconds)

    def wait_for_figures(self, ledger: Ledger, *, seconds: float) -> float:
        """Return once both views equal the ledger, and how long it took."""
        wanted = ledger.figures()

        def missing() -> str | None:
            for view in ("as_was", "as_is"):
                query = {"view": view, "from": date(2026, 1, 1), "to": date(2027, 1, 1)}
                found = totals_of(self.metrics.get("/v1/figures", **query).body["totals"])
                for name, value in wanted.items():
                    if found[name] != value:
                        return f"{name} {view} is {found[name]}, acknowledged were {value}"
            return None

        return wait_until(missing, what="metrics and the ledger", seconds=seconds)


@contextmanager
def set_up() -> Iterator[Stage]:
    """Start engines as they run in earnest, fsync and all, and the processes of metrics."""
    with (
        engines_in_earnest("faults") as own,
        ServiceProcesses(own.admin_url, own.bootstrap_servers, own.folder / "processes") as processes,
    ):
        processes.start(*PROCESSES)
        yield Stage(own.postgres, own.kafka, processes)


def seconds_since(began: float) -> float:
    """Return how long ago that was."""
    return round(time.monotonic() - began, 2)
