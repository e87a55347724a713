"""python -m tests.bench [NAME ...]: measure, print, write .local/bench.json."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import activation_bench, api_bench, ingest_bench, relay_bench
from tests.bench.report import Result, publish
from tests.bench.stage import Stage, engines

BENCHES: dict[str, Callable[[Stage], Awaitable[list[Result]]]] = {
    "relay": relay_bench.run,
    "ingest": ingest_bench.run,
    "api": api_bench.run,
    "diff": activation_bench.run_diff,
    "activate": activation_bench.run_activate,
}


def main(names: list[str]) -> None:
    """Run the named benches, or all."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.exit(f"no bench called {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}")
    results: list[Result] = []
    with engines() as stage:
        for name in names or list(BENCHES):
            print(f"measuring {name} ...", flush=True)
            results += asyncio.run(BENCHES[name](stage))
    publish(results, Path(".local/bench.json"))


if __name__ == "__main__":
    # ONLY=design/gap-zip-50 names a case; the bench before the slash is what runs.
    only = os.environ.get("ONLY", "").split("/")[0]
    main(sys.argv[1:] or ([only] if only else []))
