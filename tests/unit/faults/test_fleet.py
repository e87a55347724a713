"""A process that ends by itself is not forgotten, whoever starts it again; one that a fault kills is no finding."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.fleet import Fleet

RELAY, READER = "assignment.relay", "metrics.consumer"
PATIENCE = 20.0


def crash(fleet: Fleet, name: str, number: signal.Signals = signal.SIGKILL) -> None:
    """End a process without the fleet's knowledge."""
    os.kill(fleet.pid(name), number)
    deadline = time.monotonic() + PATIENCE
    while name not in fleet.dead():
        assert time.monotonic() < deadline


@pytest.fixture
def running(fleet: Fleet) -> Fleet:
    fleet.start(RELAY, READER, f"{READER}.2")
    return fleet


def test_what_is_killed_or_asked_to_end_by_a_fault_did_not_end_by_itself(running: Fleet):
    running.kill(RELAY)
    running.terminate(READER)
    assert running.ended_by_themselves() == []


@pytest.mark.parametrize(
    "afterwards",
    [
        lambda _: None,
        lambda fleet: fleet.revive(),
        lambda fleet: fleet.kill(RELAY),
        lambda f: f.terminate(RELAY),
    ],
    ids=["nothing", "revived", "killed", "terminated"],
)
def test_what_ended_by_itself_is_told_whatever_is_done_with_it(
    running: Fleet, afterwards: Callable[[Fleet], object]
):
    crash(running, RELAY)
    afterwards(running)
    assert running.ended_by_themselves() == [f"{RELAY} ended with -9"]


def test_a_death_at_a_fail_point_is_expected_once(running: Fleet):
    crash(running, READER)
    crash(running, f"{READER}.2")
    running.revive_killed(READER)
    assert running.dead() == [f"{READER}.2"]
    assert running.ended_by_themselves() == [f"{READER}.2 ended with -9"]


def test_an_end_of_another_kind_or_of_another_role_is_no_death_at_a_fail_point(running: Fleet):
    crash(running, READER, signal.SIGTERM)
    crash(running, RELAY)
    assert running.killed(READER) == []
    assert running.ended_by_themselves() == [f"{RELAY} ended with -9", f"{READER} ended with -15"]
