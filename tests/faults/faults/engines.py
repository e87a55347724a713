"""Kafka and Postgres die, or stand still."""

from tests.faults.fault import Fault
from tests.faults.stage import Stage


def kill_kafka(stage: Stage) -> None:
    """Kill -9 the broker; start it after 20 s."""
    kafka = stage.engines.kafka
    before = len(stage.load.acknowledged)
    kafka.kill()
    stage.hold(20)
    during = len(stage.load.acknowledged) - before
    stage.remark(f"{during} commands acknowledged without Kafka")
    stage.require(that=during > 0, otherwise="no command was acknowledged while Kafka was away")
    kafka.start()


def kill_postgres(stage: Stage) -> None:
    """Kill -9 the server; start it 3 s later, to recover from its log."""
    postgres = stage.engines.postgres
    postgres.kill()
    stage.hold(3)
    postgres.start()


FAULTS = {
    "F5": Fault("Kafka killed, back after 20 s", kill_kafka),
    "F13": Fault("Postgres killed, recovers from its log", kill_postgres),
}
