"""What a bench says: a value, the floor measured in the same run, and their ratio."""

import json
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Result:
    """One line of `.local/bench.json`; value and floor are medians of `samples` runs in `unit`."""

    bench: str
    case: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    samples: int
    note: str


def rates(
    bench: str, case: str, *, unit: str, values: Sequence[float], floors: Sequence[float], note: str
) -> Result:
    """Summarise paired samples: the ratio is the median of the pairs' ratios, which a noisy minute moves less."""
    ratio = statistics.median(value / floor for value, floor in zip(values, floors, strict=True))
    return Result(
        bench=bench,
        case=case,
        value=round(statistics.median(values), 3),
        unit=unit,
        floor=round(statistics.median(floors), 3),
        ratio=round(ratio, 3),
        samples=len(values),
        note=note,
    )


async def paired(
    measure: Callable[[], Awaitable[float]], floor: Callable[[], Awaitable[float]], *, samples: int = SAMPLES
) -> tuple[list[float], list[float]]:
    """Run both in turn, so that the machine's mood hits both alike; the first pair only warms up."""
    values, floors = [], []
    for number in range(samples + 1):
        value, ground = await measure(), await floor()
        if number:
            values.append(value)
            floors.append(ground)
    return values, floors


def publish(results: Sequence[Result], path: Path) -> None:
    """Write the file that tools read and print the table that people read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    table = Table("case", "value", "unit", "floor", "ratio", "n", "note")
    for result in results:
        floor = "" if result.floor is None else f"{result.floor:,.2f}"
        ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
        table.add_row(
            f"{result.bench}/{result.case}",
            f"{result.value:,.2f}",
            result.unit,
            floor,
            ratio,
            str(result.samples),
            result.note,
        )
    Console(width=160).print(table)
