"""Whole servers stopped where they stand: every process that lives in a data folder, whatever session it is in."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def living_in(folder: Path, words: str | None = None) -> list[int]:
    """Return the processes whose working folder it is, or whose command line names it and the words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
            elif words is not None:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                if words in command and str(folder) in command:
                    found.append(int(process.name))
    return found


@contextmanager
def paused(folder: Path, words: str | None = None) -> Iterator[None]:
    """Stop all of a server's processes, and let them go on."""
    pids = living_in(folder, words)
    assert pids, f"no process lives in {folder}"
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
