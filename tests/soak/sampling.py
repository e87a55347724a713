"""One look at everything that has to stay flat: memory, files, connections, lag, outbox; and what may grow."""

import re
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.invariants import resident_bytes
from tests.faults.stage import Stage

_MB = 1024 * 1024
_SERVICES = ("assignment", "metrics", "collab")
_LAG = re.compile(r"^bailiwick_consumer_lag_records\{.*\} ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Megabytes and open files by process, sessions by application, the rest in total; `at` in seconds."""

    at: float
    memory: dict[str, float]
    files: dict[str, int]
    sessions: dict[str, int]
    idle_in_transaction: int
    outbox_rows: int
    outbox_age: float
    outbox_mb: float
    lag: int
    database_mb: float
    acknowledged: int
    facts: int
    p50_ms: float
    p99_ms: float
    threads: dict[str, int] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        """Return it for a file."""
        return asdict(self)


def look(stage: Stage, *, at: float, seconds: list[float], facts: int) -> Sample:
    """Take a sample; `seconds` are the times of answers since the last one."""
    fleet, database = stage.fleet, stage.database
    names = fleet.names
    sessions = database.rows("""
        SELECT application_name AS name, count(*) AS sessions,
               count(*) FILTER (WHERE state LIKE 'idle in transaction%'
                                AND state_change < clock_timestamp() - interval '2 seconds') AS stuck
        FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
          AND pid <> pg_backend_pid() GROUP BY 1
    """)
    outboxes = [
        database.rows(f"""
            SELECT count(*) AS rows, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age,
                   pg_total_relation_size('{service}.outbox') AS bytes
            FROM {service}.outbox
        """)[0]
        for service in _SERVICES
    ]
    answers = sorted(seconds)
    return Sample(
        at=round(at, 1),
        memory={name: round(resident_bytes(fleet.pid(name)) / _MB, 1) for name in names},
        files={name: _entries(fleet.pid(name), "fd") for name in names},
        threads={name: _entries(fleet.pid(name), "task") for name in names},
        sessions={row["name"]: row["sessions"] for row in sessions},
        idle_in_transaction=sum(row["stuck"] for row in sessions),
        outbox_rows=sum(row["rows"] for row in outboxes),
        outbox_age=round(max(row["age"] for row in outboxes), 3),
        outbox_mb=round(sum(row["bytes"] for row in outboxes) / _MB, 2),
        lag=sum(_lag(stage, name) for name in names if ".consumer" in name),
        database_mb=round(database.value("SELECT pg_database_size(current_database())") / _MB, 1),
        acknowledged=len(stage.load.acknowledged),
        facts=facts,
        p50_ms=round(statistics.median(answers) * 1000, 1) if answers else 0.0,
        p99_ms=round(answers[int(len(answers) * 0.99)] * 1000, 1) if answers else 0.0,
    )


def _lag(stage: Stage, name: str) -> int:
    """Return what a consumer says of its own partitions. A process that does not answer is no lag of nothing."""
    status, text = stage.fleet.ask(name, "/metrics")
    if status != 200:
        raise OSError(f"{name} does not tell its lag: {status}")
    return sum(int(float(value)) for value in _LAG.findall(text))


def _entries(pid: int, of: str) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/{of}").iterdir()))
    except OSError:
        return 0
