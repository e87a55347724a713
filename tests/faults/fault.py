"""What a fault is: a title, something that breaks and mends, and what is to be true of it besides A to J."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.faults.fleet import Fleet
from tests.faults.invariants import Evidence
from tests.faults.stage import Engines, Stage

PROCESSES = (
    *("assignment.api", "assignment.api.2", "assignment.relay", "assignment.relay.2"),
    *("metrics.api", "metrics.relay", "metrics.consumer", "metrics.consumer.2"),
)


def nothing_more(_stage: Stage, _evidence: Evidence) -> None:
    """Require nothing besides the invariants."""


def untouched(_fleet: Fleet) -> None:
    """Start everything as the product is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`act` breaks, lets it last, and mends what `Stage.heal` does not; `check` looks at what came of it.

    `prepare` tampers with processes before they start. `exempt` are kinds of findings that the fault is meant to
    cause, by the beginning of their names. `engines` starts others than those that faults share.
    """

    title: str
    act: Callable[[Stage], None]
    check: Callable[[Stage, Evidence], None] = nothing_more
    prepare: Callable[[Fleet], None] = untouched
    processes: Sequence[str] = PROCESSES
    exempt: tuple[str, ...] = ()
    engines: Callable[[], AbstractContextManager[Engines]] | None = None
