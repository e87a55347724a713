"""Runs one solver in a process of its own: its CPU seconds, wall seconds and peak of memory are its own too."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took: CPU and wall in seconds, memory in MB from the instance's reading on. note: what else it tells."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    note: dict[str, Any]


def run(
    module: str, *arguments: str, python: str = sys.executable, threads: int = 1, limit_s: float = 600
) -> tuple[list[Any], Cost]:
    """Run `python -m module arguments OUT`, which ends in `report`; return the arrays that it wrote, and what it took.

    RuntimeError with its last words where it fails, subprocess.TimeoutExpired where it takes too long.
    """
    number = str(threads)
    environment = {
        **os.environ,
        **dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "BAILIWICK_DESIGN_THREADS"),
            number,
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "labels.npz"
        command = [python, "-W", "ignore", "-m", module, *arguments, str(out)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[3:])}: {done.stderr.strip()[-2000:]}")
        with np.load(out) as file:
            arrays = [file[name] for name in file.files]
    return arrays, Cost(**json.loads(done.stdout.splitlines()[-1]))


class Clock:
    """Counts from its making; what was imported and read before is not counted."""

    def __init__(self) -> None:
        self._cpu, self._wall = _cpu_seconds(), time.perf_counter()

    def cost(self, **note: object) -> Cost:
        """Return what it took so far."""
        return Cost(
            cpu_s=_cpu_seconds() - self._cpu,
            wall_s=time.perf_counter() - self._wall,
            peak_mb=_peak_mb(),
            note=dict(note),
        )


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median times, the highest peak, and the first note with the number of `samples`."""
    return Cost(
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        wall_s=statistics.median(cost.wall_s for cost in costs),
        peak_mb=max(cost.peak_mb for cost in costs),
        note={**costs[0].note, "samples": len(costs)},
    )


def report(out: Path, cost: Cost, *arrays: Any) -> None:
    """Hand arrays and cost to the process that waits for them."""
    np.savez(out, *arrays)
    print(json.dumps(asdict(cost)))


def _cpu_seconds() -> float:
    """All threads, and children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mb() -> float:
    # Not ru_maxrss: a process inherits that of the one which started it.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
