"""One Postgres and one Kafka for a whole run, started by the first test that asks, shared by all workers.

The pytest process that starts the run answers its workers on a loopback socket. One thread does the starting
and lives as long as the run: the engines die with the thread that started them.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from pathlib import Path

from deploy.local.kafka import EmbeddedKafka
from deploy.local.postgres import EmbeddedPostgres
from deploy.local.roles import apply_roles

_KEY = b"engines of this run"


def start_postgres(postgres: EmbeddedPostgres) -> str:
    """Start a Postgres with our roles; return an administrator's address."""
    postgres.start()
    url = postgres.url(database="postgres")
    apply_roles(url)
    return url


def start_kafka(kafka: EmbeddedKafka) -> str:
    """Start a broker; return its address."""
    kafka.start()
    return kafka.bootstrap_servers


@dataclass(frozen=True, slots=True)
class EnginesInEarnest:
    """A Postgres and a Kafka with the settings of `make run`, for who measures or breaks them."""

    folder: Path
    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka
    admin_url: str
    bootstrap_servers: str


@contextmanager
def engines_in_earnest(purpose: str) -> Iterator[EnginesInEarnest]:
    """Start both engines durable (fsync on), and end them."""
    with tempfile.TemporaryDirectory(prefix=f"bailiwick-{purpose}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with ExitStack() as ends:
            postgres, kafka = EmbeddedPostgres(folder / "postgres"), EmbeddedKafka(folder / "kafka")
            ends.callback(postgres.stop)
            admin_url = start_postgres(postgres)
            ends.callback(kafka.stop)
            yield EnginesInEarnest(folder, postgres, kafka, admin_url, start_kafka(kafka))


OVERRIDES = {"postgres": "TEST_DATABASE_URL", "kafka": "TEST_KAFKA_BOOTSTRAP_SERVERS"}


class Engines:
    """Starts engines on request until closed."""

    def __init__(self) -> None:
        self._listener = Listener(("127.0.0.1", 0), authkey=_KEY)
        self._folder = tempfile.TemporaryDirectory(prefix="bailiwick-tests-", ignore_cleanup_errors=True)
        self._started: dict[str, str] = {}
        self._stops: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._serve, name="engines", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Return where to ask."""
        host, port = self._listener.address
        return str(host), int(port)

    def close(self) -> None:
        """Stop what was started."""
        _ask(self.address, "close")
        self._thread.join(30)
        self._listener.close()
        self._folder.cleanup()

    def _serve(self) -> None:
        wanted = ""
        while wanted != "close":
            with self._listener.accept() as connection:
                wanted = connection.recv()
                try:
                    connection.send(self._stop() if wanted == "close" else self._start(wanted))
                except Exception as error:  # noqa: BLE001 - told to the test that asked
                    connection.send(error)

    def _start(self, name: str) -> str:
        if name not in self._started:
            Path(self._folder.name).chmod(0o755)
            self._started[name] = self._start_fast(name, Path(self._folder.name) / name)
        return self._started[name]

    def _start_fast(self, name: str, data: Path) -> str:
        if name == "postgres":
            postgres = EmbeddedPostgres(data, fast=True)
            self._stops.append(postgres.stop)
            return start_postgres(postgres)
        kafka = EmbeddedKafka(data, fast=True)
        self._stops.append(kafka.stop)
        return start_kafka(kafka)

    def _stop(self) -> str:
        while self._stops:
            self._stops.pop()()
        return ""


def address_of(engine: str, engines: tuple[str, int]) -> str:
    """Return where an engine answers, starting it if nobody did."""
    return os.environ.get(OVERRIDES[engine]) or _ask(engines, engine)


def _ask(engines: tuple[str, int], wanted: str) -> str:
    with Client(engines, authkey=_KEY) as connection:
        connection.send(wanted)
        answer = connection.recv()
    if isinstance(answer, Exception):
        raise answer
    return str(answer)
