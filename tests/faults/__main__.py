"""python -m tests.faults [--only F13,F5 | smoke | a group]: break things under load, check every event."""

import argparse
import random
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo.failing import DemoFailed
from deploy.local.paths import LOCAL
from tests.faults.facts.scenario import FACTS, SCENARIO, run_scenario
from tests.faults.facts.stage import set_up
from tests.faults.fault import Fault
from tests.faults.plan import GROUPS, chosen
from tests.faults.report import FaultResult, publish
from tests.faults.run import Options, run_fault
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
    results = list(run_all(faults, options)) if faults else []
    if asked.only in {"all", "facts"}:
        results.append(count_facts(asked.facts))
    publish(results, Path(LOCAL) / "faults.json", seed=options.seed)
    return int(any(result.verdict != "ok" for result in results))


def run_all(faults: dict[str, Fault], options: Options) -> Iterator[FaultResult]:
    """Run faults one after the other, on the same engines but for those that need their own, and show how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console()
    shared = any(fault.engines is None for fault in faults.values())
    with (
        start_engines() if shared else nullcontext() as engines,
        Progress(*columns, console=console) as progress,
    ):
        task = progress.add_task("faults", total=len(faults))
        for name, fault in faults.items():
            progress.update(task, description=f"{name} {fault.title}")
            with nullcontext(engines) if fault.engines is None else fault.engines() as its_own:
                assert its_own is not None
                result = run_fault(name, fault, its_own, options)
            progress.advance(task)
            console.print(
                f"{name}: {result.verdict}. {result.title}: {result.acked:,} acknowledged, "
                f"{result.unknown:,} unknown, back after {result.recovery_seconds} s"
            )
            yield result


def count_facts(facts: int) -> FaultResult:
    """Run the scenario of facts posted in bulk, on engines of its own."""
    try:
        with set_up() as stage:
            return run_scenario(stage, facts=facts)
    except DemoFailed as failure:
        return FaultResult("facts", SCENARIO.title, facts, 0, 0, 0, 0.0, str(failure))


if __name__ == "__main__":
    sys.exit(main())
