"""The one terminal: lines of all log files, each with its process in front, in a colour of its own."""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TextIO

COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
NAME_WIDTH = 19


class LogView:
    """Follows files. Nobody writes to it, so a slow terminal slows nobody down."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._coloured = self._out.isatty() and "NO_COLOR" not in os.environ
        self._files: dict[str, tuple[Path, int]] = {}
        self._started_at = time.monotonic()
        self.paused = False

    def follow(self, name: str, log: Path) -> None:
        """Show what is written from now on."""
        self._files[name] = (log, log.stat().st_size if log.exists() else 0)

    def show_new(self) -> None:
        """Print the complete lines that have come; while paused, pass over them."""
        for number, (name, (log, seen)) in enumerate(self._files.items()):
            if not log.exists() or log.stat().st_size <= seen:
                continue
            with log.open("rb") as file:
                file.seek(seen)
                new = file.read(1 << 20)
            complete = new[: new.rfind(b"\n") + 1]
            self._files[name] = (log, seen + len(complete))
            if not self.paused:
                for line in complete.decode(errors="replace").splitlines():
                    self._print(number, name, line)

    def say(self, text: str) -> None:
        """Print a line of the runner's own, with the seconds since the start."""
        self.show(f"{'bailiwick':<{NAME_WIDTH}}| {time.monotonic() - self._started_at:6.1f} s  {text}")

    def show(self, text: str) -> None:
        """Print as it is; go on without a terminal when it is gone, for somebody must still end the children."""
        with contextlib.suppress(OSError):
            print(text, file=self._out, flush=True)

    def _print(self, number: int, name: str, line: str) -> None:
        prefix = f"{name:<{NAME_WIDTH}}|"
        if self._coloured:
            prefix = f"\033[{COLOURS[number % len(COLOURS)]}m{prefix}\033[0m"
        self.show(f"{prefix} {line}")
