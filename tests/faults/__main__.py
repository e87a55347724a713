"""python -m tests.faults [--only NAME | smoke]: break things under load, compare with what was acknowledged."""

import argparse
import os
import sys
from pathlib import Path

from deploy.demo.failing import DemoFailed
from deploy.local.paths import LOCAL
from tests.faults.report import FaultResult, publish
from tests.faults.scenarios import SCENARIOS, SMOKE, run_scenario
from tests.faults.stage import set_up


def main() -> int:
    """Run the chosen faults, each on a stage of its own; status 1 unless all verdicts are ok."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", choices=["smoke", *SCENARIOS], help="one fault, or the short set")
    facts = int(os.environ.get("FACTS", "0")) or None
    parser.add_argument(
        "--facts", type=int, default=facts, help="how many facts; each fault has its own number"
    )
    options = parser.parse_args()
    chosen = SMOKE if options.only == "smoke" else (options.only,) if options.only else tuple(SCENARIOS)
    results = [attempt(name, options.facts) for name in chosen]
    publish(results, Path(LOCAL) / "faults.json")
    return int(any(result.verdict != "ok" for result in results))


def attempt(name: str, facts: int | None) -> FaultResult:
    """Run one fault; what never came is a verdict too."""
    scenario = SCENARIOS[name]
    print(f"{name}: {scenario.title} ...", flush=True)
    try:
        with set_up() as stage:
            result = run_scenario(name, stage, facts=facts)
    except DemoFailed as failure:
        result = FaultResult(name, scenario.title, facts or scenario.facts, 0, 0, 0, 0.0, str(failure))
    print(f"{name}: {result.verdict}, {result.acked:,} acknowledged, back after {result.recovery_seconds} s")
    return result


if __name__ == "__main__":
    sys.exit(main())
