"""The HTTP api, the relays and the consumers under schedules and deaths that Hypothesis chooses.

`make test` plays the same few examples each time; EXPLORE=1 plays many new ones (EXAMPLES=200), and every safeguard
taken out.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator

import pytest
import uvloop
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from shared.http import idempotency
from shared.messaging import classification
from shared.messaging.leases import Leases
from shared.messaging.progress import Progress
from shared.messaging.relay import Lane
from shared.testing.databases import Databases
from tests.faults.tampering import mutants
from tests.stateful.fail_points import FAIL_POINTS
from tests.stateful.installation import install
from tests.stateful.machine import Machine, Run
from tests.stateful.rebuilding import logs_that_begin_late

EXPLORING = bool(os.environ.get("EXPLORE"))
EXAMPLES = int(os.environ.get("EXAMPLES", "200"))
SAFEGUARDS = (
    (Progress, "lock"),
    (classification, "_place_dense"),
    (Lane, "_send_batch"),
    (Leases, "balance"),
    (idempotency, "_claim"),
)
Mutant = tuple[Callable[[], None], str]
"""What takes a safeguard out, and how what is missed then begins."""
ALWAYS: tuple[Mutant, ...] = (
    (mutants.no_version_test, "duplicated effect"),
    (mutants.no_idempotency_claim, "F: "),
)
WHEN_EXPLORING: tuple[Mutant, ...] = (
    (mutants.no_row_lock, "duplicated effect"),
    (mutants.delete_before_ack, "log: not as the model foretells"),
    (mutants.no_bucket_lease, "sent twice without cause"),
)

pytestmark = pytest.mark.timeout(3_600 if EXPLORING else 600)


def played(examples: int, steps: int, *, shrinking: bool) -> settings:
    """Return how much is played. What goes wrong is only made small where somebody will read it."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate, *([Phase.shrink] if shrinking else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        database=None,
    )


@pytest.fixture(scope="module")
def machine(
    databases: Databases, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[type[Machine]]:
    # With a factory the runner leaves the thread's event loop alone: it is the other tests'.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        installing = install(databases, kafka_bootstrap, tmp_path_factory.mktemp("machine"))
        installation = runner.run(installing.__aenter__())
        with installation.points.installed(), logs_that_begin_late():
            Machine.run = Run(runner, installation)
            yield Machine
        runner.run(installing.__aexit__(None, None, None))


def test_nothing_is_lost_doubled_or_half_done(machine: type[Machine]) -> None:
    """And every part has died at every point: a point that nobody comes to shows nothing."""
    began, worked = time.monotonic(), time.process_time()
    examples, steps = (EXAMPLES, 60) if EXPLORING else (6, 20)
    run_state_machine_as_test(machine, settings=played(examples, steps, shrinking=EXPLORING))
    seconds = time.monotonic() - began
    installation = machine.run.installation
    print(
        f"{installation.examples} examples, {installation.steps} steps, {installation.steps / seconds:.1f} a second, "
        f"{time.process_time() - worked:.1f} s of this process, {installation.rebuilds} rebuilds"
    )
    print(f"reached: {installation.points.reached}")
    assert not [point for point in FAIL_POINTS if not installation.points.reached[point]]


@pytest.mark.parametrize(
    ("mutant", "missed"),
    [*ALWAYS, *(WHEN_EXPLORING if EXPLORING else ())],
    ids=lambda given: given.__name__ if callable(given) else "",
)
def test_a_safeguard_that_is_taken_out_is_missed(
    machine: type[Machine], monkeypatch: pytest.MonkeyPatch, mutant: Callable[[], None], missed: str
) -> None:
    for owner, name in SAFEGUARDS:
        # Set to what it is, to be set back to it.
        monkeypatch.setattr(owner, name, getattr(owner, name))
    machine.run.violations.clear()
    began, before = time.process_time(), machine.run.installation.examples
    mutant()
    # New examples may take many; the same ones are known to miss it within a few.
    at_most = 200 if EXPLORING else 60
    # A violation that does not come again when it is played again is one all the same.
    with pytest.raises((AssertionError, Flaky)):
        run_state_machine_as_test(machine, settings=played(at_most, 20, shrinking=False))
    print(
        f"{mutant.__name__}: {machine.run.installation.examples - before} examples, "
        f"{time.process_time() - began:.1f} s of this process: {machine.run.violations[0][:300]}"
    )
    assert any(line.startswith(missed) for line in machine.run.violations[0].splitlines())
