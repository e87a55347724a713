"""One child process: own group, own log file, ends with its parent.

A child writes straight into its log file. So neither a paused terminal nor a killed parent can block it
or break its standard output, and whoever wants to see the lines follows the file.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.trouble import Trouble
from deploy.local.watchdog import Watchdog, signal_group

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """What to run, how to see that it serves, and how to end it."""

    name: str
    command: Sequence[str]
    log: Path
    is_ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    # A process that a person watches writes to the terminal instead of the log.
    on_terminal: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    # Services promise a graceful shutdown within 25 s.
    grace: float = 25.0
    start_timeout: float = 60.0


@functools.cache
def setpriv() -> str | None:
    """Return util-linux' setpriv; BusyBox has a lesser one, macOS has none.

    It sets the death signal and drops privileges without Python code running between fork and exec.
    """
    found = shutil.which("setpriv")
    if found is None:
        return None
    usage = subprocess.run([found, "--help"], capture_output=True, text=True, check=False)
    return found if "--pdeathsig" in usage.stdout else None


class Child:
    """A started process. Start it from the thread that lives as long as the program.

    The death signal fires when the starting thread ends, not the process.
    """

    def __init__(self, process: Process, *, watchdog: Watchdog) -> None:
        self.process = process
        self._watchdog = watchdog
        self._deadline = time.monotonic() + process.start_timeout
        process.log.parent.mkdir(parents=True, exist_ok=True)
        with process.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*self._death_signal(), *process.command],
                env={**os.environ, **process.environment},
                cwd=process.folder,
                stdin=subprocess.DEVNULL,
                stdout=None if process.on_terminal else log,
                stderr=None if process.on_terminal else log,
                start_new_session=True,
            )
        watchdog.guard(self.pid, process.stop_signal)

    def _death_signal(self) -> list[str]:
        found = setpriv()
        # When the command is itself a setpriv call it names the death signal: changing the user clears it.
        if found is None or self.process.command[0] == found:
            return []
        return [found, "--pdeathsig", self.process.stop_signal.name.removeprefix("SIG"), "--"]

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code once it has ended, else None."""
        return self._popen.poll()

    def wait_ready(self) -> None:
        """Return when it serves; raise when it ends, or is not ready in time."""
        while not self.is_serving():
            time.sleep(POLL_SECONDS)

    def is_serving(self) -> bool:
        """Look once whether it serves. Raises Trouble when it has ended, or should be serving by now."""
        ready = self.process.is_ready()
        # After the probe, which may have passed against somebody else while ours died.
        self.require_alive()
        if not ready and time.monotonic() > self._deadline:
            raise Trouble(
                f"{self.process.name} was not ready after {self.process.start_timeout:.0f} s.",
                fix=f"Its log says why: {self.process.log}",
            )
        return ready

    def require_alive(self) -> None:
        """Raise with the end of its log when it has ended."""
        if self.exit_code is not None:
            raise Trouble(
                f"{self.process.name} ended with status {self.exit_code}: {last_words(self.process.log)}",
                fix=f"The whole log: {self.process.log}",
            )

    def terminate(self) -> None:
        """Ask the whole group to end."""
        signal_group(self.pid, self.process.stop_signal)

    def kill(self) -> int:
        """End the whole group at once, without asking, and return how its first process ended."""
        signal_group(self.pid, signal.SIGKILL)
        code = self._popen.wait()
        self._watchdog.forget(self.pid)
        return code

    def stop(self) -> None:
        """Ask, wait for the grace, kill what is left."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(self.process.grace)
        self.kill()


def last_words(log: Path, lines: int = 3) -> str:
    """Return the end of a log in one line."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "(it wrote no log)"
    return " | ".join(line.strip() for line in text.splitlines()[-lines:]) or "(its log is empty)"


def is_alive(pid: int) -> bool:
    """Tell whether any process has the number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
