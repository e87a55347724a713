"""python -m tests.faults [--only F13,F5 | smoke | a group]: break things under load, check every event."""

import argparse
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.paths import LOCAL
from tests.faults.facts.scenario import FACTS, SCENARIO, run_scenario
from tests.faults.facts.stage import set_up
from tests.faults.fault import Fault
from tests.faults.plan import GROUPS, chosen
from tests.faults.report import FaultResult, show, write
from tests.faults.run import Options, run_fault, spoiled
from tests.faults.shared_engines import SharedEngines
from tests.faults.stage import start_engines


def main() -> int:
    """Run the chosen faults, each on a deployment of its own; status 1 unless all verdicts are ok."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="all", help=f"faults by name, or one of {', '.join(GROUPS)}")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--rate", type=float, default=50.0, help="commands per second")
    parser.add_argument("--seconds", type=float, help="of load, without the fault; 40, in smoke 16")
    parser.add_argument("--facts", type=int, default=FACTS, help="how many in the scenario of the same name")
    parser.add_argument("--keep", action="store_true", help="keep history and logs also when all is well")
    asked = parser.parse_args()
    seconds = asked.seconds or (16.0 if asked.only == "smoke" else 40.0)
    options = Options(asked.seed, asked.rate, seconds, Path(LOCAL) / "faults", keep=asked.keep)
    faults = chosen(asked.only)
    print(f"{len(faults)} faults, seed {options.seed}, {options.rate:g} commands per second", flush=True)
    results: list[FaultResult] = []
    for result in run_asked(faults, options, facts=asked.facts if asked.only in {"all", "facts"} else 0):
        results.append(result)
        # What was found so far is not lost with what comes next.
        write(results, Path(LOCAL) / "faults.json", seed=options.seed)
    show(results)
    return int(any(result.verdict != "ok" for result in results))


def run_asked(faults: Mapping[str, Fault], options: Options, *, facts: int) -> Iterator[FaultResult]:
    """Run the faults, and then the scenario of so many facts; of none when they are 0."""
    if faults:
        yield from run_all(faults, options)
    if facts:
        yield count_facts(facts)


def run_all(faults: Mapping[str, Fault], options: Options) -> Iterator[FaultResult]:
    """Run faults one after the other, on the same engines but for those that need their own, and show how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console()
    with SharedEngines(start_engines) as shared, Progress(*columns, console=console) as progress:
        task = progress.add_task("faults", total=len(faults))
        for name, fault in faults.items():
            progress.update(task, description=f"{name} {fault.title}")
            result = run_one(name, fault, shared, options)
            progress.advance(task)
            console.print(
                f"{name}: {result.verdict}. {result.title}: {result.acked:,} acknowledged, "
                f"{result.unknown:,} unknown, back after {result.recovery_seconds} s"
            )
            yield result


def run_one(name: str, fault: Fault, shared: SharedEngines, options: Options) -> FaultResult:
    """Run a fault on the engines that it needs; whatever fails is its verdict, and nobody else's."""
    results: list[FaultResult] = []
    try:
        with shared.lend() if fault.engines is None else fault.engines() as engines:
            results.append(run_fault(name, fault, engines, options))
    except Exception as failure:  # noqa: BLE001 - engines that do not start or end are that fault's verdict
        results[:] = [spoiled(name, fault.title, failure, *results)]
    if results[0].broke and fault.engines is None:
        shared.throw_away()
    return results[0]


def count_facts(facts: int) -> FaultResult:
    """Run the scenario of facts posted in bulk, on engines of its own."""
    try:
        with set_up() as stage:
            return run_scenario(stage, facts=facts)
    except Exception as failure:  # noqa: BLE001 - a verdict, as with every other fault
        return spoiled("facts", SCENARIO.title, failure)


if __name__ == "__main__":
    sys.exit(main())
