"""Every promise of the backbone, in more orders of events than any run of real processes gets to see."""

import os
import random
import time

import pytest
from hypothesis import given, settings

from tests.simulation.exploring import DRAWN, Tally, explore, run_schedule

EXPLORE = bool(os.environ.get("EXPLORE"))
SCHEDULES = 200_000 if EXPLORE else 5_000
SEED = random.SystemRandom().randrange(1 << 32) if EXPLORE else 1


@pytest.mark.timeout(3_600)
def test_every_promise_holds_in_every_schedule():
    tally, began = Tally(), time.process_time()
    for run in explore(SCHEDULES, seed=SEED):
        assert not run.findings, run
        tally.add(run)
    took = time.process_time() - began
    print(
        f"seed {SEED}: {SCHEDULES / took:,.0f} schedules and {tally.steps / took:,.0f} steps a second of one core"
    )
    # A schedule that holds nothing proves nothing.
    assert tally.seen["commands"] > SCHEDULES
    assert tally.seen["effects"] > SCHEDULES
    troubles = (
        "repeats",
        "disordered logs",
        "truncated logs",
        "stopped partitions",
        "partitions read by two",
        "restored publishers",
        "events told anew",
    )
    assert all(tally.seen[trouble] for trouble in (*troubles, "parked keys")), tally.seen


@settings(max_examples=3_000 if EXPLORE else 200)
@given(DRAWN)
def test_a_schedule_that_breaks_a_promise_is_shrunk_to_the_steps_it_takes(schedule: bytes):
    run = run_schedule(schedule)
    assert not run.findings, run


def test_a_schedule_says_all_that_happens():
    for first in explore(50, seed=SEED):
        second = run_schedule(first.schedule)
        assert second.world.log.history == first.world.log.history
        assert second.world.reading.effects == first.world.reading.effects
