"""What the visitor sees: numbered steps, requests with their answers, checks that are real."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.demo.client import Answer
from deploy.demo.failing import DemoFailed

SUBJECT = "tour"
"""Whom requests of the tour come from, unless a scene says otherwise."""

_METHOD = {"GET": "cyan", "POST": "green", "PUT": "yellow"}


@dataclass
class Stage:
    """Prints, checks, and collects the figures of the report."""

    console: Console
    figures: dict[str, Any] = field(default_factory=dict)
    checks: int = 0
    _number: int = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._number += 1
        self.console.print()
        self.console.rule(f"[bold]{self._number}. {title}[/]", align="left", style="dim")

    def show(self, answer: Answer, excerpt: Mapping[str, Any] | None = None) -> None:
        """Show a request and a few fields of what it answered."""
        where = urlsplit(answer.url)
        line = Text.assemble(
            (f"{answer.method:4} ", f"bold {_METHOD.get(answer.method, 'white')}"),
            (f"{where.scheme}://{where.netloc}", "dim"),
            where.path,
            (f"?{where.query}" if where.query else "", "dim"),
            (f"  {answer.status}", "green"),
            (f"  {answer.seconds * 1000:.0f} ms", "dim"),
        )
        self.console.print(line, soft_wrap=True)
        if excerpt:
            self.fields(excerpt)

    def fields(self, fields: Mapping[str, Any]) -> None:
        """Show named values, one line if they fit."""
        parts = Text("     ")
        for name, value in fields.items():
            parts.append(f"{name} ", "dim")
            parts.append(f"{value}   ")
        self.console.print(parts)

    def say(self, sentence: str) -> None:
        """Explain."""
        self.console.print(f"     [dim]{sentence}[/]")

    def check(self, sentence: str, *, holds: bool, otherwise: str = "") -> None:
        """State what must be true. Raises DemoFailed when it is not."""
        if not holds:
            raise DemoFailed(f"This does not hold: {sentence}. {otherwise}".strip())
        self.confirm(sentence)

    def confirm(self, sentence: str) -> None:
        """State what was waited for and has come."""
        self.checks += 1
        self.console.print(f"   [green]✓[/] {sentence}")

    def table(
        self, columns: Iterable[str], rows: Iterable[Iterable[str]], *, last_apart: bool = False
    ) -> None:
        """Show a table; all columns but the first are figures."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
        lines = [list(row) for row in rows]
        for number, row in enumerate(lines):
            table.add_row(*row, end_section=last_apart and number == len(lines) - 2)
        self.console.print(_Indented(table))


class _Indented:
    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich__(self) -> Table:
        outer = Table.grid(padding=(0, 0, 0, 5))
        outer.add_row("", self._table)
        return outer


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._began


def money(amount: Decimal) -> str:
    """Write dollars with their cents: exactness is the point."""
    return f"{amount:,.2f}"


def short(identifier: object) -> str:
    """Write the end of an id, which tells ids of one day apart."""
    return f"…{str(identifier)[-8:]}"
