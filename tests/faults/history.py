"""What the clients did and saw, operation by operation, in the order it happened.

Every operation begins with `invoke` and ends in `ok` (it took effect), `fail` (it did not) or `info` (nobody
can say), as in Jepsen's histories. Kept as JSONL when a verdict is not ok.
"""

import json
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Type = Literal["invoke", "ok", "fail", "info"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of a history. `t` is in seconds since the history began; `value` is the command's number."""

    process: int
    type: Type
    f: str
    key: str
    value: int
    t: float
    note: str = ""


class History:
    """Operations of all clients; threads may add at the same time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.operations: list[Operation] = []

    def add(self, process: int, type_: Type, f: str, key: str, value: int, *, note: str = "") -> float:
        """Add an operation; return when it happened."""
        with self._lock:
            # Under the lock, so that the order of the list is the order of time.
            t = round(time.monotonic() - self._began, 6)
            self.operations.append(Operation(process, type_, f, key, value, t, note))
        return t

    def write(self, file: Path) -> None:
        """Write one JSON object per line."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as lines:
            for operation in list(self.operations):
                lines.write(json.dumps(asdict(operation)) + "\n")
