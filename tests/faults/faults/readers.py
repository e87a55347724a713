"""Consumers die, stand still, come and go: every event has its effect once."""

import time

from tests.faults.fault import PROCESSES, Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import Evidence
from tests.faults.stage import Stage

READER = "metrics.consumer"
_KILLS = 2
_TURNS = 10
# Its session at the broker lasts 15 s.
_BEYOND_SESSION = 40
_LAST_EFFECT = "SELECT coalesce(max(seq), 0) FROM metrics.witness_effects"
# How often an effect was made by another process than the one before it of the same partition.
_SHIFTS = """
SELECT count(*) FILTER (WHERE moved) FROM (
    SELECT pid <> lag(pid) OVER (PARTITION BY partition ORDER BY seq) AS moved
    FROM metrics.witness_effects WHERE seq > $1
) effects
"""
# Partitions whose last effect was by process $1 at $2, and that another has worked on since.
_MOVED = """
SELECT count(DISTINCT partition) FROM metrics.witness_effects
WHERE pid <> $1 AND seq > $2 AND partition IN (
    SELECT partition FROM (
        SELECT DISTINCT ON (partition) partition, pid FROM metrics.witness_effects
        WHERE seq <= $2 ORDER BY partition, seq DESC
    ) held WHERE pid = $1)
"""


def die_at(point: str) -> Fault:
    """Return the fault of consumers that die at a point, twice."""

    def act(stage: Stage) -> None:
        for _ in range(_KILLS):
            stage.fleet.arm(point)
            stage.revive_killed(READER, at=point)
            stage.remark(f"through {stage.wait_until_through():.0f} s after the death")

    return Fault(
        f"consumer killed twice: {point}",
        act,
        prepare=lambda fleet: fleet.tamper("metrics.consumer", point),
    )


def pause_reader(stage: Stage) -> None:
    """SIGSTOP a consumer past its session at the broker, then let it go on with what it held."""
    pid, last = stage.fleet.pid(READER), stage.database.value(_LAST_EFFECT)
    stage.fleet.pause(READER)
    stage.hold(_BEYOND_SESSION)
    moved = stage.database.value(_MOVED, pid, last)
    stage.fleet.resume(READER)
    stage.remark(f"{moved} of its partitions moved meanwhile")
    stage.require_hurt(that=moved > 0, otherwise="none of its partitions moved to the other consumer")


def come_and_go(stage: Stage) -> None:
    """Have a third consumer join or leave every 3 s for a minute, and ten times however long it takes to start."""
    third, last = "metrics.consumer.3", stage.database.value(_LAST_EFFECT)
    began = time.monotonic()
    turns = 0
    while time.monotonic() - began < 60 or turns < _TURNS:
        stage.fleet.start(third)
        stage.hold(3)
        stage.fleet.terminate(third)
        stage.hold(3)
        turns += 1
    shifts = stage.database.value(_SHIFTS, last)
    stage.remark(
        f"joined and left {turns} times in {time.monotonic() - began:.0f} s, partitions moved {shifts} times"
    )
    stage.require_hurt(that=shifts > 0, otherwise="no partition moved from one consumer to another")


def two_readers(stage: Stage) -> None:
    """Let both readers of every partition work for a while, slowly, so that they meet in every batch."""
    stage.fleet.arm("slow-handler")
    stage.hold(15)
    stage.fleet.disarm("slow-handler")


def both_worked(stage: Stage, _evidence: Evidence) -> None:
    """Both have to have applied something, else nothing was shown."""
    readers = stage.database.value("SELECT count(DISTINCT pid) FROM metrics.witness_effects")
    stage.require_hurt(that=readers == 2, otherwise=f"{readers} consumers applied events, not two")


def _twins(fleet: Fleet) -> None:
    fleet.tamper("metrics.consumer", "slow-handler")
    fleet.tamper("metrics.consumer.2", "another-group")


FAULTS = {
    "F9": die_at("kill-after-commit"),
    "F10": die_at("kill-before-commit"),
    "F11": Fault("consumer paused past its session, then resumed", pause_reader),
    "F12": Fault(
        "a third consumer joins and leaves every 3 s",
        come_and_go,
        processes=(*PROCESSES, "collab.relay", "collab.consumer", "collab.api"),
    ),
    "F11b": Fault(
        "every partition read by two consumers at once", two_readers, check=both_worked, prepare=_twins
    ),
}
