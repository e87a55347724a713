"""Engines, processes and the load on them: what a fault breaks and mends, and how far behind it leaves them."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from deploy.demo.client import wait_until
from deploy.local.postgres import EmbeddedPostgres
from tests.engines import start_postgres
from tests.faults.checks import Finding
from tests.faults.cluster import Cluster, ProxiedKafka
from tests.faults.fleet import Fleet
from tests.faults.load import Load
from tests.faults.observed import Database, Log, answered
from tests.faults.organisation import found_organisation
from tests.faults.proxy import Proxies
from tests.faults.tampering import witness
from tests.processes import execute

KAFKA_LINKS = ("assignment.relay", "assignment.relay.2", "metrics.consumer", "metrics.consumer.2")
PATIENCE = 180.0
_TEMPLATE = "faults_template"

# The kind of finding of a fault that passed by the product.
HURT_NOTHING = "hurt nothing"

Look = Callable[[], str | None]


@dataclass
class Engines:
    """What faults share, one after the other."""

    folder: Path
    postgres: EmbeddedPostgres
    kafka: ProxiedKafka | Cluster
    proxies: Proxies
    admin_url: str


MakeKafka = Callable[[Path, Proxies], "ProxiedKafka | Cluster"]


def _one_broker(folder: Path, proxies: Proxies) -> ProxiedKafka:
    return ProxiedKafka(folder / "kafka", proxies, KAFKA_LINKS)


def three_brokers(folder: Path, _proxies: Proxies) -> Cluster:
    """Make a cluster in place of the one broker."""
    return Cluster(folder)


def three_brokers_apart(folder: Path, _proxies: Proxies) -> Cluster:
    """Make a cluster whose controller is none of the brokers."""
    return Cluster(folder, apart=True)


@contextmanager
def start_engines(
    make_kafka: MakeKafka = _one_broker, *, disks: Mapping[str, Path] = MappingProxyType({})
) -> Iterator[Engines]:
    """Start Postgres and Kafka as they run in earnest, fsync and all, with a database at head to copy.

    `disks` says where the data of `postgres` and of `kafka` lie; somewhere temporary when it does not.
    """
    with ExitStack() as ends:
        name = ends.enter_context(
            tempfile.TemporaryDirectory(prefix="bailiwick-faults-", ignore_cleanup_errors=True)
        )
        folder = Path(name)
        folder.chmod(0o755)
        proxies = ends.enter_context(Proxies())
        postgres = EmbeddedPostgres(disks.get("postgres", folder) / "postgres")
        ends.callback(postgres.stop)
        admin_url = start_postgres(postgres)
        kafka = make_kafka(disks.get("kafka", folder), proxies)
        ends.callback(kafka.stop)
        kafka.start()
        _make_template(admin_url, kafka, proxies, folder)
        yield Engines(folder, postgres, kafka, proxies, admin_url)


def _make_template(admin_url: str, kafka: ProxiedKafka | Cluster, proxies: Proxies, folder: Path) -> None:
    execute(admin_url, f'CREATE DATABASE "{_TEMPLATE}" TEMPLATE bailiwick')
    fleet = Fleet(admin_url, kafka, proxies, folder / "template", template=_TEMPLATE)
    fleet.migrate_here(_TEMPLATE)
    Database(fleet.database_url()).run(witness.TABLES)


@dataclass
class Stage:
    """One fault's deployment."""

    engines: Engines
    fleet: Fleet
    load: Load
    seed: int
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    # How long the outbox took, of the time that `wait_until_through` took last.
    sent_after: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)
    # How much of what the fault is about it has hurt, for its check when all is quiet.
    hurt: int = 0

    @property
    def database(self) -> Database:
        """Return the deployment's database."""
        return Database(self.fleet.database_url())

    @property
    def log(self) -> Log:
        """Return the deployment's topics."""
        return Log(self.engines.kafka.bootstrap_servers, self.fleet.topic_prefix)

    def require(self, *, that: bool, otherwise: str, kind: str = "extra check") -> None:
        """Note what is wrong unless it is right."""
        if not that:
            self.findings.append(Finding(kind, 1, otherwise))

    def require_hurt(self, *, that: bool, otherwise: str) -> None:
        """Note that the fault did not hurt what it is about: then that all is well says nothing."""
        self.require(that=that, otherwise=otherwise, kind=HURT_NOTHING)

    def remark(self, text: str) -> None:
        """Note a measured value for the table."""
        self.remarks.append(text)

    def mark(self, name: str) -> None:
        """Remember this moment, on the clock of the history."""
        self.marks[name] = self.load.history.add(-1, "info", name, "", 0)

    def hold(self, seconds: float) -> None:
        """Let the fault last."""
        time.sleep(seconds)

    def wait(self, look: Look, *, what: str, seconds: float = PATIENCE) -> float:
        """Return once `look` finds nothing missing, and how long it took; what asks nobody answers waits too."""
        return wait_until(look, what=what, seconds=seconds, every=0.1)

    def behind(self) -> str | None:
        """Return what has not come through of all that is there now, or None."""
        return self._behind(self._ends(), self.last_row())

    def wait_until_through(self, *, seconds: float = PATIENCE) -> float:
        """Return once everything that is there now is sent and applied, and how long it took."""
        began = time.monotonic()
        last: list[int] = []
        ends: list[dict[int, int]] = []

        def missing() -> str | None:
            # Fixed once, each as soon as it can be asked for: what comes later is not waited for.
            if not last:
                last.append(self.last_row())
            if left := self.rows_up_to(last[0]):
                return f"{left} rows in the outbox"
            if not ends:
                self.sent_after = time.monotonic() - began
                ends.append(self._ends())
            return self._behind(ends[0], last[0])

        return self.wait(
            lambda: answered_or("Postgres or Kafka away", missing),
            what="what was there when it healed",
            seconds=seconds,
        )

    def wait_until_sent(self, *, seconds: float = PATIENCE) -> float:
        """Return once every row that is there now is sent, and how long it took."""
        last = self.last_row()
        return self.wait(
            lambda: f"{left} rows in the outbox" if (left := self.rows_up_to(last)) else None,
            what="the rows there were",
            seconds=seconds,
        )

    def quiesce(self, *, seconds: float = PATIENCE) -> float:
        """Return once the outbox is empty and the reader is at the end of the log."""
        return self.wait(
            lambda: answered_or("Postgres or Kafka away", self.behind), what="outbox and lag", seconds=seconds
        )

    def rows_waiting(self, *, older_than: float = 0.0) -> int:
        """Return how many rows are in the outbox that were written so many seconds ago or more."""
        return int(
            self.database.value(
                """
                SELECT count(*) FROM assignment.outbox
                WHERE created_at <= clock_timestamp() - make_interval(secs => $1)
                """,
                older_than,
            )
        )

    def last_row(self) -> int:
        """Return the seq of the row in the outbox that was written last; 0 when none is there."""
        return int(self.database.value("SELECT coalesce(max(seq), 0) FROM assignment.outbox"))

    def rows_up_to(self, last: int) -> int:
        """Return how many rows in the outbox were written up to this one."""
        return int(self.database.value("SELECT count(*) FROM assignment.outbox WHERE seq <= $1", last))

    def _ends(self) -> dict[int, int]:
        return self.log.ends(witness.TOPIC)

    def _behind(self, ends: dict[int, int], last: int) -> str | None:
        if left := self.rows_up_to(last):
            return f"{left} rows in the outbox"
        applied = self.applied_to()
        lag = sum(max(0, end - applied.get(partition, 0)) for partition, end in ends.items())
        return f"{lag} records not applied" if lag else None

    def applied_to(self, consumer: str = witness.CONSUMER, topic: str = witness.TOPIC) -> dict[int, int]:
        """Return how far a consumer of metrics is, by partition."""
        rows = self.database.rows(
            "SELECT partition, next_offset FROM metrics.consumer_offsets WHERE consumer = $1 AND topic = $2",
            consumer,
            topic,
        )
        return {row["partition"]: row["next_offset"] for row in rows}

    def revive_killed(self, role: str, *, at: str) -> None:
        """Return once the armed fail point has killed a process of the role, and it serves again."""
        self.wait(
            lambda: None if self.fleet.killed(role) else f"every {role} lives", what=f"a {role} to {at}"
        )
        self.fleet.revive_killed(role)

    def heal(self) -> None:
        """Have all links pass, and start again what ended; that it did by itself is found by the invariants."""
        self.engines.proxies.heal()
        self.fleet.revive()


def answered_or(away: str, look: Look) -> str | None:
    """Return what `look` finds missing, or that somebody is away."""
    missing: list[str | None] = []

    def ask() -> bool:
        missing.append(look())
        return True

    return missing[0] if answered(ask) else away


@contextmanager
def set_up(
    engines: Engines,
    *,
    rate: float,
    seed: int,
    processes: Sequence[str],
    prepare: Callable[[Fleet], None] = lambda _: None,
) -> Iterator[Stage]:
    """Start a deployment on the engines and give it its organisation."""
    folder = engines.folder / f"run-{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    engines.proxies.heal()
    with Fleet(engines.admin_url, engines.kafka, engines.proxies, folder, template=_TEMPLATE) as fleet:
        prepare(fleet)
        fleet.start(*processes)
        found_organisation(fleet)

        def urls() -> list[str]:
            return [fleet.url(name) for name in processes if name.startswith("assignment.api")]

        load = Load(urls, fleet.token(role="admin", subject="load"), rate=rate, seed=seed)
        yield Stage(engines, fleet, load, seed)
