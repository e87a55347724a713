"""Links break: half-open, reset, cut in the middle, slow and lossy."""

from random import Random

from tests.faults.fault import Fault
from tests.faults.invariants import Evidence
from tests.faults.proxy import Mode
from tests.faults.stage import Stage

API, OTHER = "assignment.api", "assignment.api.2"
RELAYS = ("assignment.relay", "assignment.relay.2")
READERS = ("metrics.consumer", "metrics.consumer.2")


def half_open(stage: Stage) -> None:
    """Stop reading between an api and Postgres for 75 s: beyond the driver's limit of 60 s for a command."""
    link = stage.fleet.link(API, "postgres")
    link.switch(Mode.HALF_OPEN)
    stage.hold(75)
    link.switch(Mode.PASS)
    stage.remark(f"{stage.load.tally.statuses[503]} answers 503")
    stage.require(that=stage.load.tally.statuses[503] > 0, otherwise="nobody was told 503 by the api cut off")
    timed_out = stage.fleet.log_of(API).count("error=TimeoutError outcome=unknown")
    stage.remark(f"{timed_out} statements given up by the driver")
    stage.require_hurt(that=timed_out > 0, otherwise="no statement ran into the driver's limit")
    stage.wait(lambda: None if stage.fleet.ask(API, "/health/ready")[0] == 200 else "not ready", what=API)


def reset_commits(stage: Stage) -> None:
    """Reset the connection of a third of all commits, before or after the server has got it, for 20 s."""
    links = [stage.fleet.link(name, "postgres") for name in (API, OTHER)]
    for link in links:
        link.reset_when(b"COMMIT;", share=0.3)
    stage.hold(20)
    for link in links:
        link.reset_never()
    resets = sum(link.resets for link in links)
    stage.remark(f"{resets} commits reset")
    stage.require_hurt(that=resets >= 10, otherwise=f"only {resets} commits were reset")


def some_were_unknown(stage: Stage, _evidence: Evidence) -> None:
    """Some clients must have been left in doubt, and some commands found done when they were sent again."""
    stage.require_hurt(that=stage.load.tally.unknown > 0, otherwise="no outcome was unknown")
    stage.require_hurt(that=stage.load.tally.replayed > 0, otherwise="no command was found done")


def cut_frames(stage: Stage) -> None:
    """Cut every connection to Kafka in the middle of a frame, again and again for 20 s."""
    links = {name: stage.fleet.link(name, "kafka") for name in (*RELAYS, *READERS)}
    before = {name: link.cuts for name, link in links.items()}
    rng = Random(stage.seed)
    for _ in range(10):
        for link in links.values():
            link.switch(Mode.CUT, cut_after=rng.randrange(1, 200))
        stage.hold(1)
        for link in links.values():
            link.switch(Mode.PASS)
        stage.hold(1)
    cuts = {name: link.cuts - before[name] for name, link in links.items()}
    stage.remark(f"{sum(cuts.values())} connections cut")
    whole = [name for name, number in cuts.items() if not number]
    stage.require_hurt(that=not whole, otherwise=f"no connection was cut of {', '.join(whole)}")


def slow_and_lossy(stage: Stage) -> None:
    """Delay everything to and from Kafka by 500 ms, and lose 5 % of it, for 20 s; apis must not notice."""
    before = list(stage.load.tally.seconds)
    links = [stage.fleet.link(name, "kafka") for name in (*RELAYS, *READERS)]
    lost = sum(link.lost for link in links)
    for link in links:
        link.switch(Mode.DELAY, delay=0.5, lost_share=0.05)
    stage.hold(20)
    lost = sum(link.lost for link in links) - lost
    stage.require_hurt(that=lost > 0, otherwise="nothing was lost on the way to or from Kafka")
    during = stage.load.tally.seconds[len(before) :]
    calm, slow = percentile(before, 0.99), percentile(during, 0.99)
    stage.remark(f"p99 of the api {calm * 1000:.0f} ms before, {slow * 1000:.0f} ms during")
    # Twice, and some more for a machine that others use: waiting for Kafka would cost half a second and more.
    stage.require(that=slow < 2 * calm + 0.25, otherwise=f"p99 went from {calm:.3f} s to {slow:.3f} s")


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


FAULTS = {
    "F16": Fault("half-open connection between an api and Postgres", half_open),
    "F17": Fault("connection reset while COMMIT is in flight", reset_commits, check=some_were_unknown),
    "F18": Fault("connections to Kafka cut in mid-frame", cut_frames),
    "F19": Fault("500 ms delay and 5 % loss to Kafka", slow_and_lossy),
}
