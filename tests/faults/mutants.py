"""python -m tests.faults.mutants: take one safeguard out of the product at a time; a fault has to turn red.

Each mutant is paired with the fault that it cannot survive, and with the kinds of findings that show why; any other red,
such as a deployment that does not start, proves nothing. The same fault is run over the product as it is.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local.paths import LOCAL
from tests.faults.fault import Fault
from tests.faults.faults.relays import leave_without_kafka
from tests.faults.plan import FAULTS
from tests.faults.report import FaultResult
from tests.faults.run import Options, run_fault
from tests.faults.stage import start_engines


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is taken out, of which processes, the fault that shows it, and the kinds of findings it shows as.

    One of the kinds has to be found, by the beginning of its name.
    """

    title: str
    role: str
    fault: str
    shows: tuple[str, ...]

    def is_shown_by(self, as_it_is: FaultResult, without: FaultResult) -> bool:
        """Tell whether the safeguard, and nothing else, makes the difference."""
        found = any(kind.startswith(self.shows) for kind in without.kinds)
        return as_it_is.verdict == "ok" and found


MUTANTS: Mapping[str, Mutant] = {
    "no-row-lock": Mutant(
        "progress read without locking its row", "metrics.consumer", "F11b", ("duplicated effect",)
    ),
    "no-version-test": Mutant(
        "events applied whatever their version", "metrics.consumer", "F1", ("duplicated effect",)
    ),
    "delete-before-ack": Mutant(
        "rows deleted before Kafka has them", "assignment.relay", "F7s", ("lost from the log",)
    ),
    "no-bucket-lease": Mutant("buckets sent by whoever likes", "assignment.relay", "F0", ("sent twice",)),
}
_SHORT = {"F7s": Fault("Kafka away for 20 s, relay asked to end meanwhile", leave_without_kafka(20))}


def main() -> int:
    """Run each pair; status 1 unless the product is green and every mutant red for its own reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", help="mutants by name, with commas between")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chosen = asked.only.split(",") if asked.only else MUTANTS
    options = Options(asked.seed, 50.0, 12.0, Path(LOCAL) / "faults")
    table = Table(
        "safeguard taken out", "fault", "the product as it is", "without the safeguard", show_lines=True
    )
    as_wanted = True
    with start_engines() as engines:
        for name in chosen:
            mutant = MUTANTS[name]
            fault = {**FAULTS, **_SHORT}[mutant.fault]
            as_it_is, without = (
                run_fault(mutant.fault, fault, engines, replace(options, mutate=mutate))
                for mutate in ((lambda _: None), (lambda fleet, n=name, m=mutant: fleet.tamper(m.role, n)))
            )
            shown = mutant.is_shown_by(as_it_is, without)
            as_wanted &= shown
            told = f"{'red' if shown else 'NOT SHOWN'}: {without.verdict}"
            print(f"{name}: as it is {as_it_is.verdict}; without {told}", flush=True)
            table.add_row(mutant.title, f"{mutant.fault} {fault.title}", as_it_is.verdict, told[:300])
    Console(width=150).print(table)
    return 0 if as_wanted else 1


if __name__ == "__main__":
    sys.exit(main())
