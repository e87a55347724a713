"""python -m tests.simulation: explore schedules, then say how many it takes to miss each safeguard."""

import argparse
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.simulation.exploring import Tally, explore, schedules_until_found
from tests.simulation.mutants import FOUND


def main() -> int:
    """Print figures; status 1 when a promise is broken, or a missing safeguard is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    broken = _explore(asked.schedules, asked.seed)
    missed = _mutants(asked.seed)
    return 1 if broken or missed else 0


def _explore(schedules: int, seed: int) -> int:
    tally, broken = Tally(), 0
    wall, work = time.perf_counter(), time.process_time()
    for run in explore(schedules, seed=seed):
        tally.add(run)
        if run.findings:
            broken += 1
            print(run)
    wall, work = time.perf_counter() - wall, time.process_time() - work
    print(f"seed {seed}: {schedules:,} schedules, {tally.steps:,} steps, {broken} broken promises")
    print(f"{schedules / wall:,.0f} schedules and {tally.steps / wall:,.0f} steps a second")
    print(f"{schedules / work:,.0f} schedules and {tally.steps / work:,.0f} steps a second of one core")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(tally.seen.items())))
    return broken


def _mutants(seed: int) -> int:
    missed = 0
    table = Table("safeguard taken out", "schedules until found", "first finding")
    for mutant in FOUND.values():
        numbers = []
        example = ""
        for start in range(seed, seed + 5):
            found = schedules_until_found(mutant, seed=start)
            missed += found is None
            numbers.append("-" if found is None else str(found[0]))
            if found is not None and not example:
                example = str(next(f for f in found[1].findings if f.kind in mutant.shows))
        table.add_row(mutant.title, ", ".join(numbers), example[:70])
    Console(width=150).print(table)
    return missed


if __name__ == "__main__":
    sys.exit(main())
