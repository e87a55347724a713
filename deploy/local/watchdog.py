"""A second process that ends every child when the first one is gone, even after kill -9.

It reads the groups to guard from its standard input. However the parent dies, the pipe closes, and the
groups that are left get their stop signal, then KILL. PR_SET_PDEATHSIG alone would not do: grandchildren
do not inherit it. Run as a plain script, so that it starts in a few milliseconds and imports nothing of ours.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import IO

GRACE_SECONDS = 5.0


class Watchdog:
    """The parent's end of the pipe."""

    def __init__(self, *, keep_open: IO[str] | None = None, grace: float = GRACE_SECONDS) -> None:
        """Start the second process; `keep_open` is a lock file that it holds until its sweep is over."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=() if keep_open is None else (keep_open.fileno(),),
            text=True,
        )

    def guard(self, group: int, stop_signal: signal.Signals) -> None:
        """End this process group with this signal once we are gone."""
        self._tell(f"{group} {int(stop_signal)}")

    def forget(self, group: int) -> None:
        """Leave the group alone: it has ended, and its number may come to mean somebody else."""
        self._tell(f"{group} 0")

    def close(self) -> None:
        """Let the second process sweep what is still guarded, and wait until it is done."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:
            return
        # A watchdog killed by hand must not take the run down with it; PDEATHSIG is still there.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def guarded_groups(lines: Iterable[str]) -> dict[int, int]:
    """Replay what the parent said: the groups still guarded, each with its stop signal."""
    groups: dict[int, int] = {}
    for line in lines:
        group, number = map(int, line.split())
        if number:
            groups[group] = number
        else:
            groups.pop(group, None)
    return groups


def signal_group(group: int, number: int) -> bool:
    """Send the signal; tell whether anybody was there to get it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sweep(groups: dict[int, int], *, grace: float) -> None:
    """End the groups, the last started first; KILL what outlives the grace."""
    left = [group for group, number in reversed(groups.items()) if signal_group(group, number)]
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [group for group in left if signal_group(group, 0)]
    for group in left:
        signal_group(group, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sweep(guarded_groups(sys.stdin), grace=float(sys.argv[1]))
