"""Relays die, stand still and hang: events may be repeated, never lost or reordered."""

import time
from collections.abc import Callable
from random import Random

from tests.faults.fault import Fault
from tests.faults.fleet import Fleet
from tests.faults.invariants import Evidence
from tests.faults.stage import Stage

RELAY, OTHER = "assignment.relay", "assignment.relay.2"
TAKE_OVER_SECONDS = 20.0
EXIT_SECONDS = 25.0
_KILLS = 3
_RANDOM_KILLS, _RANDOM_KILLS_AT_MOST = 10, 30


def die_before_delete(stage: Stage) -> None:
    """Kill -9 a relay between acknowledgement and delete, three times."""
    for _ in range(_KILLS):
        stage.fleet.arm("kill-before-delete")
        stage.revive_killed("assignment.relay", at="die between ack and delete")


def repeats_only(stage: Stage, evidence: Evidence) -> None:
    """Each death leaves acknowledged rows in the outbox: they have to be sent again."""
    stage.require_hurt(
        that=evidence.repeats > 0, otherwise="nothing was sent twice: the relay died at another moment"
    )


def kill_ten_times(stage: Stage) -> None:
    """Kill -9 one of the relays at a random moment, ten times, and on until one has left rows behind unsent."""
    rng = Random(stage.seed)
    number = 0
    while number < _RANDOM_KILLS or (not stage.hurt and number < _RANDOM_KILLS_AT_MOST):
        stage.hold(rng.uniform(0.2, 1.5))
        name = (RELAY, OTHER)[number % 2]
        last = stage.last_row()
        stage.fleet.kill(name)
        # Time for the other one to send what is its own: what is left was in the hands of the dead.
        stage.hold(0.3)
        stage.hurt += stage.rows_up_to(last)
        stage.fleet.start(name)
        number += 1
    stage.remark(f"killed {number} times, {stage.hurt} rows left unsent")


def left_something(stage: Stage, evidence: Evidence) -> None:
    """A relay that dies at rest shows nothing: rows have to be left behind, or to be told twice."""
    stage.require_hurt(
        that=stage.hurt + evidence.repeats > 0,
        otherwise="no relay died with rows in its hands",
    )


def pause_relay(stage: Stage) -> None:
    """SIGSTOP a relay for 20 s: the other one gets its buckets meanwhile, and finds the zombie harmless."""
    began = time.monotonic()
    stage.fleet.pause(RELAY)
    taken = stage.wait(lambda: _buckets_held_elsewhere(stage), what="a take-over")
    stage.remark(f"buckets taken over after {taken:.1f} s")
    stage.require(
        that=taken < TAKE_OVER_SECONDS,
        otherwise=f"buckets were taken over after {taken:.1f} s, not within 20 s",
    )
    stage.hold(max(0.0, 20 - (time.monotonic() - began)))
    stage.fleet.resume(RELAY)


def block_loop(stage: Stage) -> None:
    """Block a relay's event loop for 30 s between acknowledgement and delete: it loses its lease."""
    stage.fleet.arm("block-loop")
    stage.wait(lambda: "nobody blocks" if stage.fleet.is_armed("block-loop") else None, what="a blocked loop")
    taken = stage.wait_until_through()
    stage.remark(f"buckets taken over after {taken:.1f} s")
    stage.hold(max(0.0, 31 - taken))


def leave_without_kafka(away: float) -> Callable[[Stage], None]:
    """Return a fault: the broker is away for so long, and a relay is asked to end meanwhile."""

    def act(stage: Stage) -> None:
        kafka = stage.engines.kafka
        kafka.kill()
        stage.hold(away / 2)
        waiting = stage.database.value("SELECT count(*) FROM assignment.outbox")
        took, code = stage.fleet.terminate(RELAY)
        left = stage.database.value("SELECT count(*) FROM assignment.outbox")
        stage.remark(f"relay left after {took:.1f} s with {left} rows waiting")
        stage.require(
            that=took <= EXIT_SECONDS and code == 0, otherwise=f"relay ended after {took:.1f} s with {code}"
        )
        stage.require_hurt(that=waiting > 0, otherwise="no row waited without Kafka")
        stage.require(that=left >= waiting, otherwise=f"{waiting} rows waited before, {left} after")
        stage.hold(away / 2)
        kafka.start()
        stage.fleet.start(RELAY)

    return act


def _buckets_held_elsewhere(stage: Stage) -> str | None:
    """Find what is missing until the two sessions of one relay hold all sixteen buckets."""
    row = stage.database.rows("""
        SELECT count(*) AS buckets, count(DISTINCT pid) AS sessions FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid < 16
          AND classid::bigint = hashtext('assignment.outbox')::bigint & 4294967295
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """)[0]
    held = row["buckets"] == 16 and row["sessions"] == 2
    return None if held else f"{row['buckets']} buckets in {row['sessions']} sessions"


def _dying(fleet: Fleet) -> None:
    fleet.tamper("assignment.relay", "kill-before-delete")


def _blocking(fleet: Fleet) -> None:
    fleet.tamper("assignment.relay", "block-loop")


FAULTS = {
    "F1": Fault(
        "relay killed between ack and delete, three times",
        die_before_delete,
        check=repeats_only,
        prepare=_dying,
    ),
    "F2": Fault("a relay killed at random, ten times", kill_ten_times, check=left_something),
    "F3": Fault("relay paused for 20 s", pause_relay),
    "F4": Fault("relay's event loop blocked for 30 s", block_loop, check=repeats_only, prepare=_blocking),
    "F7": Fault("Kafka away for 5 min, relay asked to end meanwhile", leave_without_kafka(310)),
}
