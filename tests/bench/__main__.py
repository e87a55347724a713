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
    design_bench,
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
# Pure work whose cases can be named: design/gap-zip-50. Half an hour, and beside peers that are not among what tests need.
NAMED_CASES: dict[str, Callable[[str], list[Result]]] = {"design": design_bench.run}


def main(only: str | None) -> None:
    """Run the named bench, or all that take minutes. `design/gap-zip-50` names a case of one."""
    name, _, case = (only or "").partition("/")
    if name and name not in BENCHES and name not in NAMED_CASES:
        sys.exit(f"no bench called {name}; there are: {', '.join([*BENCHES, *NAMED_CASES])}")
    # The floors run in this process: they have what the processes that they are compared with have.
    collect_seldom()
    results: list[Result] = []
    if name in NAMED_CASES:
        results = NAMED_CASES[name](case)
    else:
        with engines() as stage:
            for bench in [name] if name else [b for b in BENCHES if b not in ONLY_WHEN_NAMED]:
                print(f"measuring {bench} ...", flush=True)
                results += uvloop.run(BENCHES[bench](stage))
    publish(results, Path(".local/bench.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", help=f"one of {', '.join([*BENCHES, *NAMED_CASES])}; design/CASE")
    main(parser.parse_args().only)
