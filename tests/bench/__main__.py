"""python -m tests.bench [--only NAME]: measure, print, write .local/bench.json."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from shared.runtime.process import collect_seldom
from tests.bench import (
    activation_bench,
    api_bench,
    explain_bench,
    growth_bench,
    handoffs_bench,
    ingest_bench,
    latency_bench,
    match_bench,
    moves_bench,
    notes_bench,
    query_bench,
    relay_bench,
    stream_bench,
)
from tests.bench.report import Result, publish
from tests.bench.stage import Stage, engines

BENCHES: dict[str, Callable[[Stage], Awaitable[list[Result]]]] = {
    "relay": relay_bench.run,
    "ingest": ingest_bench.run,
    "latency": latency_bench.run,
    "moves": moves_bench.run,
    "api": api_bench.run,
    "diff": activation_bench.run_diff,
    "activate": activation_bench.run_activate,
    "match": match_bench.run,
    "explain": explain_bench.run,
    "query": query_bench.run,
    "handoffs": handoffs_bench.run,
    "notes": notes_bench.run,
    "stream": stream_bench.run,
    "growth": growth_bench.run,
}
ONLY_WHEN_NAMED = {"growth"}


def main(only: str | None) -> None:
    """Run the named bench, or all that take minutes. `design/gap-zip-50` names a case: the bench before the slash runs."""
    name = (only or "").split("/")[0]
    if name and name not in BENCHES:
        sys.exit(f"no bench called {name}; there are: {', '.join(BENCHES)}")
    # The floors run in this process: they have what the processes that they are compared with have.
    collect_seldom()
    results: list[Result] = []
    with engines() as stage:
        for bench in [name] if name else [b for b in BENCHES if b not in ONLY_WHEN_NAMED]:
            print(f"measuring {bench} ...", flush=True)
            results += uvloop.run(BENCHES[bench](stage))
    publish(results, Path(".local/bench.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", help=f"one of {', '.join(BENCHES)}")
    main(parser.parse_args().only)
