"""Tells what is being done: a bar on a terminal, a line now and then elsewhere, and what it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_SECONDS = 2.0

Advance = Callable[[int], None]


class Steps:
    """The steps of something that takes longer than a blink."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(sentence, highlight=False)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Show a step while it lasts; what it yields is called with how much more is done."""
        began = time.monotonic()
        bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bar:
            task = bar.add_task(title, total=total)
            lines = _Lines(self, title, total)

            def advance(by: int) -> None:
                bar.advance(task, by)
                lines.advance(by)

            yield advance
        self.say(f"  [green]✓[/] {title} [dim]{time.monotonic() - began:.1f} s[/]")


class _Lines:
    """What is printed where no bar can be drawn."""

    def __init__(self, steps: Steps, title: str, total: int | None) -> None:
        self._steps, self._title, self._total = steps, title, total
        self._done = 0
        self._printed_at = time.monotonic()

    def advance(self, by: int) -> None:
        self._done += by
        silent = time.monotonic() - self._printed_at < _LINE_EVERY_SECONDS
        if self._total is None or silent or self._steps.console.is_terminal:
            return
        self._printed_at = time.monotonic()
        self._steps.say(f"    {self._title}: {self._done:,} of {self._total:,}")
