"""Kafka and Postgres die, or stand still."""

from random import Random

from tests.faults.fault import Fault
from tests.faults.processes import paused
from tests.faults.stage import Stage


def kill_kafka(stage: Stage) -> None:
    """Kill -9 the broker; start it after 20 s."""
    kafka = stage.engines.kafka
    before = len(stage.load.acknowledged)
    kafka.kill()
    stage.hold(20)
    during = len(stage.load.acknowledged) - before
    _require_rows_waiting(stage, "Kafka was away")
    stage.remark(f"{during} commands acknowledged without Kafka")
    stage.require(that=during > 0, otherwise="no command was acknowledged while Kafka was away")
    kafka.start()


def kill_postgres(stage: Stage) -> None:
    """Kill -9 the server; start it 3 s later, to recover from its log."""
    postgres = stage.engines.postgres
    before = _not_done(stage)
    postgres.kill()
    stage.hold(3)
    postgres.start()
    stage.require_hurt(that=_not_done(stage) > before, otherwise="no client noticed that Postgres was away")


def pause_kafka(stage: Stage) -> None:
    """SIGSTOP the broker for 40 s: it is there and does not answer."""
    with paused(stage.engines.kafka.data_dir, "kafka.Kafka"):
        stage.hold(40)
        _require_rows_waiting(stage, "Kafka stood still")


def pause_postgres(stage: Stage) -> None:
    """SIGSTOP the server with all its sessions for 10 s; requests are told 503, never 500."""
    before = stage.load.tally.statuses[503]
    with paused(stage.engines.postgres.data_dir):
        # What was answered already is on its way to the clients.
        stage.hold(1)
        acknowledged = len(stage.load.acknowledged)
        stage.hold(9)
        more = len(stage.load.acknowledged) - acknowledged
    stage.require_hurt(
        that=not more, otherwise=f"{more} commands were acknowledged while Postgres stood still"
    )
    stage.remark(f"{stage.load.tally.statuses[503] - before} answers 503")
    for name in ("assignment.api", "assignment.api.2"):
        stage.wait(
            lambda n=name: None if stage.fleet.ask(n, "/health/ready")[0] == 200 else "not ready", what=name
        )


def end_sessions(stage: Stage) -> None:
    """End five random sessions of the services per second, for 20 s."""
    rng = Random(stage.seed)
    ended = 0
    for _ in range(100):
        pids = stage.database.rows("""
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND usename LIKE '%_app' AND backend_type = 'client backend'
        """)
        if pids:
            pid = rng.choice(pids)["pid"]
            ended += bool(stage.database.value("SELECT pg_terminate_backend($1)", pid))
        stage.hold(0.2)
    stage.remark(f"{ended} sessions ended")
    stage.require_hurt(that=ended >= 10, otherwise=f"only {ended} sessions were ended")


def _require_rows_waiting(stage: Stage, when: str) -> None:
    """Make sure that nothing is sent: rows wait that were written five seconds ago or more."""
    waiting = stage.rows_waiting(older_than=5)
    stage.require_hurt(that=waiting > 0, otherwise=f"no row waited while {when}")


def _not_done(stage: Stage) -> int:
    """Return how many requests were answered 503, or not at all."""
    return stage.load.tally.statuses[503] + stage.load.tally.statuses[0]


FAULTS = {
    "F5": Fault("Kafka killed, back after 20 s", kill_kafka),
    "F6": Fault("Kafka paused for 40 s", pause_kafka),
    "F13": Fault("Postgres killed, recovers from its log", kill_postgres),
    "F14": Fault("Postgres paused for 10 s with all its sessions", pause_postgres),
    "F15": Fault("five random sessions ended per second", end_sessions),
}
