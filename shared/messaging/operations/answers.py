"""What a command answers: tables for people, a JSON object per line for scripts. Progress goes to stderr."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]


class Steps:
    """A bar that a long command moves on."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)

    def say(self, what: str, *, done: int = 0, more: int = 0) -> None:
        """Name what is being done, count what was done of it, and what came on top."""
        [task] = self._progress.tasks
        self._progress.update(self._task, description=what, advance=done, total=(task.total or 0) + more)


@dataclass(frozen=True, slots=True)
class Answers:
    """Where answers go. `as_json` is what scripts ask for; they see neither tables nor progress."""

    out: TextIO
    err: TextIO
    as_json: bool

    def rows(self, rows: Sequence[Row], *, title: str, nothing: str) -> None:
        """Answer with rows of equal columns."""
        if self.as_json:
            for row in rows:
                self.out.write(json.dumps(row, default=_plain) + "\n")
            return
        console = self._console(self.out)
        if not rows:
            console.print(nothing)
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in rows[0]:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            # As it is: what records hold is no markup of ours.
            table.add_row(*(Text(_shown(value)) for value in row.values()))
        console.print(table)

    def done(self, row: Row, sentence: str) -> None:
        """Answer what a change came to."""
        if self.as_json:
            self.out.write(json.dumps(row, default=_plain) + "\n")
        else:
            self._console(self.out).print(Text(sentence))

    def refuse(self, sentence: str) -> None:
        """Say why nothing was done."""
        self.err.write(f"{sentence}\n")

    @contextmanager
    def steps(self, total: int) -> Iterator[Steps]:
        """Show how far a long command is, to whoever sits before a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(
            *columns, console=self._console(self.err), disable=self.as_json or not self.err.isatty()
        ) as progress:
            yield Steps(progress, total)

    def _console(self, stream: TextIO) -> Console:
        # Piped into a file, lines are as long as what they hold.
        return Console(file=stream, highlight=False, width=None if stream.isatty() else 200)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | dict):
        return json.dumps(value, default=_plain)
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
