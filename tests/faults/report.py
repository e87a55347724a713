"""What a fault run says: a file for tools, a table for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class FaultResult:
    """One line of `.local/faults.json`.

    `ops` are the requests sent, `acked` the commands answered with success, `unknown` the requests of which no
    client learnt what became of them. `recovery_seconds` is from the healing until everything that was there then
    was sent and applied. `kinds` are those of the findings in the verdict; `broke` says that the run did not get to its
    end, so that its engines may be in any state.
    """

    fault: str
    title: str
    ops: int
    acked: int
    unknown: int
    duplicates_absorbed: int
    recovery_seconds: float
    verdict: str
    remarks: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    broke: bool = False


def write(results: Sequence[FaultResult], path: Path, *, seed: int) -> None:
    """Write the file, with what there is so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(
        json.dumps({"seed": seed, "faults": [asdict(result) for result in results]}, indent=2) + "\n"
    )
    unfinished.replace(path)


def show(results: Sequence[FaultResult]) -> None:
    """Print the table."""
    table = Table("fault", "what", "ops", "acked", "unknown", "absorbed", "recovery s", "verdict", "measured")
    for result in results:
        numbers = (result.ops, result.acked, result.unknown, result.duplicates_absorbed)
        table.add_row(
            *(result.fault, result.title, *(f"{number:,}" for number in numbers)),
            *(str(result.recovery_seconds), result.verdict, "; ".join(result.remarks)),
            style=None if result.verdict == "ok" else "red",
        )
    Console(width=170).print(table)
