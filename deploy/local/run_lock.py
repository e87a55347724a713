"""One run per clone, and a wait for what a killed run left behind.

Two locks that the system drops by itself when their holders die: `run.lock` belongs to the runner and has its
number in it; `sweep.lock` is shared with the watchdog, who holds it until the last child has ended.
"""

import fcntl
import os
from pathlib import Path
from typing import IO, Self

from deploy.local.trouble import Trouble

STARTING = "starting"
SERVING = "serving"
STOPPING = "stopping"


class RunLock:
    """Held for the length of a run, as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run: IO[str] | None = None
        self.sweep: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take both locks. Raises Trouble when another run holds the first one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        run = (self._folder / "run.lock").open("a+")
        if not try_lock(run):
            if state_in(self._folder) != STOPPING:
                run.close()
                raise Trouble(
                    f"This clone already runs, as process {runner_in(self._folder)}.",
                    fix="Stop it first (Ctrl-C in its terminal, or make stop), or use it: make status",
                )
            print("Waiting for the last run to end ...", flush=True)
            fcntl.flock(run, fcntl.LOCK_EX)
        self._run = run
        self.note(STARTING)
        self.sweep = (self._folder / "sweep.lock").open("a+")
        if not try_lock(self.sweep):
            print("Waiting for what the last run left behind to end ...", flush=True)
            fcntl.flock(self.sweep, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        for lock in (self.sweep, self._run):
            if lock is not None:
                lock.close()

    def note(self, state: str) -> None:
        """Write down who runs and how far it is."""
        if self._run is not None:
            self._run.truncate(0)
            self._run.write(f"{os.getpid()} {state}\n")
            self._run.flush()


def try_lock(file: IO[str]) -> bool:
    """Take the lock unless somebody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_running(folder: Path) -> bool:
    """Tell whether a runner holds the clone."""
    return is_held(folder / "run.lock")


def is_swept(folder: Path) -> bool:
    """Tell whether nothing of a run is left."""
    return not is_held(folder / "run.lock") and not is_held(folder / "sweep.lock")


def is_held(file: Path) -> bool:
    """Tell whether somebody holds the lock."""
    if not file.exists():
        return False
    with file.open("a+") as lock:
        return not try_lock(lock)


def runner_in(folder: Path) -> int:
    """Return the process id of the run; 0 when there never was one."""
    return int((noted(folder) or ["0"])[0])


def state_in(folder: Path) -> str:
    """Return how far the run is: starting, serving."""
    return (noted(folder) or ["", "unknown"])[-1]


def noted(folder: Path) -> list[str]:
    """Return the words of the note."""
    file = folder / "run.lock"
    return file.read_text().split() if file.exists() else []
