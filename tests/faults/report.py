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
    was sent and applied.
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


def publish(results: Sequence[FaultResult], path: Path, *, seed: int) -> None:
    """Write the file and print the table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"seed": seed, "faults": [asdict(result) for result in results]}, indent=2) + "\n"
    )
    table = Table("fault", "what", "ops", "acked", "unknown", "absorbed", "recovery s", "verdict", "measured")
    for result in results:
        told = asdict(result)
        remarks = told.pop("remarks")
        cells = [f"{value:,}" if isinstance(value, int) else str(value) for value in told.values()]
        table.add_row(*cells, "; ".join(remarks), style=None if result.verdict == "ok" else "red")
    Console(width=170).print(table)
