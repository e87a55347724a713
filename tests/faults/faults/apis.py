"""Apis die under requests: a client that repeats its request under its key gets one effect and one answer."""

import socket
import time
from random import Random
from urllib.parse import urlsplit
from uuid import uuid4

from tests.faults.fault import PROCESSES, Fault
from tests.faults.stage import Stage

API, OTHER = "assignment.api", "assignment.api.2"
STREAMS = 50
EXIT_SECONDS = 25.0


def kill_apis(stage: Stage) -> None:
    """Kill -9 one of the apis at a random moment, six times."""
    rng = Random(stage.seed)
    before = stage.load.tally.unknown
    for number in range(6):
        stage.hold(rng.uniform(0.3, 1.5))
        name = (API, OTHER)[number % 2]
        stage.fleet.kill(name)
        stage.fleet.start(name)
    stage.require_hurt(that=stage.load.tally.unknown > before, otherwise="no api died under a request")


def hang_up(stage: Stage) -> None:
    """Have clients hang up in the middle of three requests in ten, for 20 s."""
    before = stage.load.tally.unknown
    stage.load.hang_up_share = 0.3
    stage.hold(20)
    stage.load.hang_up_share = 0.0
    left = stage.load.tally.unknown - before
    stage.require_hurt(that=left >= 10, otherwise=f"clients hung up on {left} requests only")


def leave_with_streams(stage: Stage) -> None:
    """Ask an api to end that has 50 open streams, and one under load; both have to leave in time."""
    streams = [_follow_inbox(stage) for _ in range(STREAMS)]
    collab, code = stage.fleet.terminate("collab.api")
    ended = sum(_has_ended(stream) for stream in streams)
    loaded, other_code = stage.fleet.terminate(API)
    stage.remark(f"left after {collab:.1f} s with {STREAMS} streams, after {loaded:.1f} s under load")
    stage.require(
        that=max(collab, loaded) < EXIT_SECONDS, otherwise=f"left after {collab:.1f} s, {loaded:.1f} s"
    )
    stage.require(that=code == other_code == 0, otherwise=f"ended with {code}, {other_code}")
    stage.require(that=ended == STREAMS, otherwise=f"{ended} of {STREAMS} streams were closed")
    stage.fleet.start("collab.api", API)


def _follow_inbox(stage: Stage) -> socket.socket:
    """Open a stream and return once it has begun to tell."""
    address = urlsplit(stage.fleet.url("collab.api"))
    stream = socket.create_connection((address.hostname, address.port), timeout=30)
    token = stage.fleet.token(role="contributor", subject=str(uuid4()))
    stream.sendall(
        f"GET /v1/inbox/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    told = stream.recv(65_536)
    assert told.startswith(b"HTTP/1.1 200"), told[:200]
    return stream


def _has_ended(stream: socket.socket) -> bool:
    """Tell whether the server has closed it; reads what it told before."""
    stream.settimeout(5)
    deadline = time.monotonic() + 5
    with stream:
        try:
            while time.monotonic() < deadline:
                if not stream.recv(65_536):
                    return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            pass
    return False


FAULTS = {
    "F21": Fault(
        "api asked to end with 50 open streams, another under load",
        leave_with_streams,
        processes=(*PROCESSES, "collab.api"),
    ),
    "F20": Fault("api killed under requests, six times", kill_apis),
    "F22": Fault("clients hang up on 30 % of requests", hang_up),
}
