"""What a fault run says."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class FaultResult:
    """One line of `.local/faults.json`: what was sent, acknowledged, and whether the figures agree with it."""

    fault: str
    title: str
    ops: int
    acked: int
    unknown: int
    duplicates_absorbed: int
    recovery_seconds: float
    verdict: str


def publish(results: Sequence[FaultResult], path: Path) -> None:
    """Write the file that tools read and print the table that people read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    table = Table("fault", "what", "sent", "acknowledged", "unknown", "absorbed", "recovery s", "verdict")
    for result in results:
        table.add_row(
            *(f"{value:,}" if isinstance(value, int) else str(value) for value in asdict(result).values())
        )
    Console(width=130).print(table)
