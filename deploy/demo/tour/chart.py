"""Draws the two territories in the terminal: where their accounts lie, how many, how much."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

COLOURS = ("bright_blue", "bright_yellow")
# Told apart without colours too.
GLYPHS = ("●", "○")
_WIDTH, _HEIGHT = 44, 13
_BAR = 26


@dataclass(frozen=True)
class Moment:
    """The two territories at one moment: name to points of accounts, and to revenue."""

    title: str
    points: Mapping[str, tuple[tuple[float, float], ...]]
    revenue: Mapping[str, Decimal]


def draw_maps(console: Console, moments: Iterable[Moment]) -> None:
    """Draw one map per moment, side by side, all to the same frame."""
    shown = list(moments)
    everywhere = [point for moment in shown for points in moment.points.values() for point in points]
    frame = _Frame.around(everywhere)
    panels = [Panel(_map(moment, frame), title=moment.title, width=_WIDTH + 4) for moment in shown]
    console.print(Columns(panels))


def draw_bars(console: Console, moments: Iterable[Moment]) -> None:
    """Draw accounts and revenue of each territory at each moment as bars."""
    shown = list(moments)
    most = max(len(points) for moment in shown for points in moment.points.values()) or 1
    richest = max(amount for moment in shown for amount in moment.revenue.values()) or Decimal(1)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("territory", "when", "accounts", "revenue, as_is"):
        table.add_column(column, no_wrap=True)
    for number, name in enumerate(shown[0].points):
        for moment in shown:
            accounts, revenue = len(moment.points[name]), moment.revenue[name]
            first = moment is shown[0]
            table.add_row(
                Text(name if first else "", COLOURS[number]),
                moment.title,
                _bar(accounts / most, f"{accounts:,}", COLOURS[number]),
                _bar(float(revenue / richest), f"{revenue:,.0f} USD", COLOURS[number]),
                end_section=moment is shown[-1],
            )
    console.print(table)


@dataclass(frozen=True)
class _Frame:
    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, points: list[tuple[float, float]]) -> "_Frame":
        """Fit most points: a few far ones would squeeze the rest into a corner, and stand at the edge."""
        xs, ys = sorted(x for x, _ in points), sorted(y for _, y in points)
        low, high = len(points) // 25, -1 - len(points) // 25
        return cls(xs[low], ys[low], xs[high], ys[high])

    def cell(self, point: tuple[float, float]) -> tuple[int, int]:
        x = (point[0] - self.west) / ((self.east - self.west) or 1)
        y = (self.north - point[1]) / ((self.north - self.south) or 1)
        return _clamp(round(y * (_HEIGHT - 1)), _HEIGHT), _clamp(round(x * (_WIDTH - 1)), _WIDTH)


def _clamp(number: int, size: int) -> int:
    return min(max(number, 0), size - 1)


def _map(moment: Moment, frame: _Frame) -> Text:
    cells: dict[tuple[int, int], Counter[int]] = {}
    for number, points in enumerate(moment.points.values()):
        for point in points:
            cells.setdefault(frame.cell(point), Counter())[number] += 1
    drawn = Text()
    for row in range(_HEIGHT):
        for column in range(_WIDTH):
            held = cells.get((row, column))
            if held is None:
                drawn.append("·", "grey23")
            else:
                number = held.most_common(1)[0][0]
                drawn.append(GLYPHS[number], COLOURS[number])
        drawn.append("\n")
    for number, (name, points) in enumerate(moment.points.items()):
        drawn.append(f"\n{GLYPHS[number]} {name}: {len(points):,} accounts", COLOURS[number])
    return drawn


def _bar(share: float, label: str, colour: str) -> Text:
    return Text("█" * max(1, round(share * _BAR)), colour).append(f" {label}", "default")
