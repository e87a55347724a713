"""What was polled of a partition and waits while others of it are applied. No I/O."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.kafka.records import IncomingRecord

MAX_RECORDS, MAX_BYTES = 500, 1_048_576


@dataclass(slots=True)
class Waiting:
    """Records in runs that follow on each other, taken only while it is open.

    Closed until the position has been looked up: what comes before may be from anywhere, and a seek brings it again. In
    runs because records may be missing between two of them, which is told from the first record of a transaction alone.
    """

    is_open: bool = False
    _runs: deque[list[IncomingRecord]] = field(default_factory=deque)
    _records: int = 0
    _bytes: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything waits."""
        return bool(self._runs)

    def is_full(self) -> bool:
        """Tell whether a transaction of its own waits already."""
        return self._records >= MAX_RECORDS or self._bytes >= MAX_BYTES

    def put(self, records: Sequence[IncomingRecord]) -> None:
        """Have records wait behind those that do, if it is open."""
        if not self.is_open or not records:
            return
        if self._runs and self._runs[-1][-1].offset + 1 == records[0].offset:
            self._runs[-1] += records
        else:
            self._runs.append(list(records))
        self._count(records, 1)

    def take(self) -> list[IncomingRecord]:
        """Return the first run: it waits no longer."""
        records = self._runs.popleft()
        self._count(records, -1)
        return records

    def forget(self) -> None:
        """Have nothing wait."""
        self._runs.clear()
        self._records = self._bytes = 0

    def open(self) -> None:
        """Take what comes from now on."""
        self.is_open = True

    def close(self) -> None:
        """Have nothing wait, and take nothing."""
        self.is_open = False
        self.forget()

    def _count(self, records: Sequence[IncomingRecord], sign: int) -> None:
        self._records += sign * len(records)
        self._bytes += sign * sum(len(record.value or b"") for record in records)
