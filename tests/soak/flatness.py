"""Whether what was sampled stayed flat: the first quarter settles, then the slope counts. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A process may grow by that much, in megabytes an hour, before it is called a leak: arenas of the allocator settle slowly.
MEMORY_SLOPE = 12.0
OUTBOX_AGE = 5.0
LAG_FACTOR, LAG_FLOOR = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Trend:
    """Medians of the first and the last third of what counts, and the slope per hour over it (Theil-Sen)."""

    early: float
    late: float
    per_hour: float


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend:
    """Return how a series went once it had settled: its first quarter does not count.

    The slope is the median of the slopes of all pairs of points half a run apart (Theil 1950, Sen 1968), which a few
    wild samples do not move.
    """
    start = len(values) // 4
    at, settled = list(seconds[start:]), list(values[start:])
    third = max(1, len(settled) // 3)
    half = max(1, len(settled) // 2)
    slopes = [
        (settled[n + half] - settled[n]) / (at[n + half] - at[n]) * 3600 for n in range(len(settled) - half)
    ]
    return Trend(
        statistics.median(settled[:third]),
        statistics.median(settled[-third:]),
        statistics.median(slopes) if slopes else 0.0,
    )


def find_growth(
    seconds: Sequence[float],
    *,
    memory: Mapping[str, Sequence[float]],
    files: Mapping[str, Sequence[float]],
    sessions: Sequence[float],
    lag: Sequence[float],
    outbox_age: Sequence[float],
) -> list[str]:
    """Return what did not stay flat, in words."""
    found = []
    for name, values in memory.items():
        seen = trend(seconds, values)
        if seen.per_hour > MEMORY_SLOPE:
            found.append(
                f"{name} grows by {seen.per_hour:.1f} MB an hour ({seen.early:.0f} to {seen.late:.0f} MB)"
            )
    for name, values in files.items():
        seen = trend(seconds, values)
        if seen.late > seen.early + 5:
            found.append(f"{name} holds {seen.late:.0f} files, {seen.early:.0f} before")
    seen = trend(seconds, sessions)
    if seen.late > seen.early + 5:
        found.append(f"{seen.late:.0f} database sessions, {seen.early:.0f} before")
    seen = trend(seconds, lag)
    if seen.late > max(LAG_FLOOR, LAG_FACTOR * seen.early):
        found.append(f"lag {seen.late:.0f} records, {seen.early:.0f} before")
    seen = trend(seconds, outbox_age)
    if seen.late > max(OUTBOX_AGE, LAG_FACTOR * seen.early):
        found.append(f"the oldest event waits {seen.late:.1f} s, {seen.early:.1f} s before")
    return found
