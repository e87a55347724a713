"""Nothing is broken: the harness itself, and what only a fault may cause."""

from tests.faults.fault import Fault
from tests.faults.invariants import Evidence
from tests.faults.stage import Stage


def rest(stage: Stage) -> None:
    """Let it run."""
    stage.hold(5)


def nothing_twice(stage: Stage, evidence: Evidence) -> None:
    """Without a fault each event is sent once, since each bucket has one owner."""
    stage.require(
        that=not evidence.repeats, otherwise=f"{evidence.repeats} events were sent twice", kind="sent twice"
    )


FAULTS = {"F0": Fault("no fault at all", rest, check=nothing_twice)}
