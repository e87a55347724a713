"""Apis die under requests: a client that repeats its request under its key gets one effect and one answer."""

from random import Random

from tests.faults.fault import Fault
from tests.faults.stage import Stage

API, OTHER = "assignment.api", "assignment.api.2"


def kill_apis(stage: Stage) -> None:
    """Kill -9 one of the apis at a random moment, six times."""
    rng = Random(stage.seed)
    for number in range(6):
        stage.hold(rng.uniform(0.3, 1.5))
        name = (API, OTHER)[number % 2]
        stage.fleet.kill(name)
        stage.fleet.start(name)


def hang_up(stage: Stage) -> None:
    """Have clients hang up in the middle of three requests in ten, for 20 s."""
    stage.load.hang_up_share = 0.3
    stage.hold(20)
    stage.load.hang_up_share = 0.0


FAULTS = {
    "F20": Fault("api killed under requests, six times", kill_apis),
    "F22": Fault("clients hang up on 30 % of requests", hang_up),
}
