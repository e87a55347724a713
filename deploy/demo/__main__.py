"""python -m deploy.demo seed | tour: fill a running installation, then watch a realignment go through it."""

import argparse
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from deploy.demo.client import Installation
from deploy.demo.failing import DemoFailed
from deploy.demo.organisation import DEFAULT_ACCOUNTS, DEFAULT_SEED, found_organisation
from deploy.demo.progress import Steps
from deploy.demo.seeding import Seeding
from deploy.demo.tour import take_tour
from deploy.local.paths import ENDPOINTS, LOCAL


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    top.add_argument("--endpoints", type=Path, default=ENDPOINTS, help="what runs where")
    commands = top.add_subparsers(dest="command", required=True)
    seed = commands.add_parser("seed", help="fill a running installation, once")
    seed.add_argument("--accounts", type=int, default=DEFAULT_ACCOUNTS)
    seed.add_argument("--seed", type=int, default=DEFAULT_SEED)
    seed.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    tour = commands.add_parser("tour", help="carry one realignment through and show it")
    tour.add_argument("--report", type=Path, default=LOCAL / "tour.json", help="where the figures go")
    return top


def seed(options: argparse.Namespace, installation: Installation, console: Console) -> int:
    """Seed, or find that it was done."""
    began = time.monotonic()
    seeding = Seeding(installation, Steps(console))
    found = seeding.find()
    if found is None or found.accounts < options.accounts:
        console.print(f"[bold]Seeding the demo organisation[/] with {options.accounts:,} accounts")
        found = seeding.seed(found_organisation(options.accounts, options.seed), options.today)
    took = time.monotonic() - began
    console.print(
        f"The demo organisation stands: {found.accounts:,} accounts, {found.facts:,} facts [dim]{took:.1f} s[/]"
    )
    return 0


def tour(options: argparse.Namespace, installation: Installation, console: Console) -> int:
    """Take the tour."""
    return take_tour(installation, console, options.report)


def main() -> int:
    """Carry out one command; what fails is told in a sentence."""
    options = parser().parse_args()
    console = Console(highlight=False)
    try:
        with Installation.find(options.endpoints) as installation:
            return (seed if options.command == "seed" else tour)(options, installation, console)
    except DemoFailed as failure:
        console.print(f"\n[bold red]✗[/] {failure}", markup=True, soft_wrap=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
