"""`make start` and `make stop`: the same run without a terminal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from deploy.local.paths import LOCAL, REPOSITORY
from deploy.local.run_lock import SERVING, is_running, is_swept, runner_in, state_in
from deploy.local.trouble import Trouble

RUN_LOG = LOCAL / "run.log"
STOP_SECONDS = 90.0


def start(arguments: Sequence[str]) -> int:
    """Start a run that outlives this terminal, show its progress, return when it serves."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    if is_running(LOCAL):
        raise Trouble(
            f"This clone already runs, as process {runner_in(LOCAL)}.", fix="See make status, or make stop."
        )
    with RUN_LOG.open("wb") as log:
        runner = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "run", "--no-tour", "--background", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    with RUN_LOG.open() as progress:
        while runner.poll() is None and not serves(runner.pid):
            print(progress.read(), end="", flush=True)
            time.sleep(0.1)
        print(progress.read(), end="", flush=True)
    return runner.poll() or 0


def serves(runner: int) -> bool:
    """Tell whether this very run says that it serves."""
    return runner_in(LOCAL) == runner and state_in(LOCAL) == SERVING


def stop() -> int:
    """End the run of this clone, wherever it was started, and wait until nothing is left of it."""
    if not is_running(LOCAL):
        print("Nothing runs here.")
        return 0
    runner = runner_in(LOCAL)
    os.kill(runner, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while not is_swept(LOCAL):
        if time.monotonic() > deadline:
            raise Trouble(
                f"Process {runner} has not ended after {STOP_SECONDS:.0f} s.", fix=f"kill -9 {runner}"
            )
        time.sleep(0.1)
    print("Everything has stopped.")
    return 0
