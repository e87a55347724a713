"""design: how good the optimiser's territories are and what they cost, against a bound and against peers.

`make bench ONLY=design` runs the cases that take up to a few minutes; ONLY=design/1m-2000 one of them, slow or not;
ONLY=design/vs those that begin so. Ours and the peer run in the same minutes, each in a process of its own on one
thread, scored by the same independent code; CPU seconds count, so that a busy machine does neither wrong. Needs neither
Postgres nor Kafka; the peers are installed into .local/peers when they are first wanted.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.bench.design import cases
from tests.bench.design.growth import growth
from tests.bench.design.opposed import frontier_case
from tests.bench.report import Result


@dataclass(frozen=True, slots=True)
class Case:
    """A name and what it measures; a slow one, of five minutes or more, runs when it is named."""

    name: str
    measure: Callable[[], list[Result]]
    slow: bool = False


SIMPLE = ("kmeans", "bisection", "metis")
# In none of them has the largest unit 0.9 of a load: 0.88 of one in 29 territories of counties.
SEEDED = (("county", 10), ("county", 29), ("zip", 50), ("zip", 200), ("50k", 50))
# The flow has the widest band with which it still ends within 5 % after rounding; in 200 territories of ZIPs none does.
CASES = (
    *(
        Case(f"gap-{place}-{k}", partial(cases.gap, place, k))
        for place, k in (("zip", 50), ("zip", 200), ("county", 10), ("county", 30), ("200k", 50))
    ),
    *(Case(f"bound-zip-{k}", partial(cases.bound, "zip", k)) for k in (50, 200)),
    Case("1m-50", partial(cases.million, 50)),
    Case("1m-2000", partial(cases.million, 2_000), slow=True),
    Case("vs-ortools-zip-50", partial(cases.against, "ortools", "zip", 50, band=0.04)),
    Case("vs-ortools-zip-200", partial(cases.against, "ortools", "zip", 200, band=0.04)),
    Case("vs-ortools-200k-50", partial(cases.against, "ortools", "200k", 50, band=0.05)),
    *(
        Case(f"vs-metis-{place}-{k}", partial(cases.against, "metis", place, k, equal=True))
        for place, k in (("zip", 50), ("zip", 200), ("200k", 50), ("county", 30))
    ),
    *(Case(f"vs-recom-county-{k}", partial(cases.against, "recom", "county", k)) for k in (10, 30)),
    Case("peers-zip-50", partial(cases.others, "zip", 50, *SIMPLE, "highs_lp")),
    *(
        Case(f"peers-{place}-{k}", partial(cases.others, place, k, *SIMPLE))
        for place, k in (("zip", 200), ("county", 10), ("county", 30), ("200k", 50))
    ),
    Case("realign-zip-50", cases.realign),
    Case("what-if-200k", cases.what_if),
    Case("du-family", cases.family),
    Case("frontier-zip-50", partial(frontier_case, "zip", 50)),
    *(Case(f"success-{place}-{k}", partial(cases.success, place, k), slow=True) for place, k in SEEDED),
    Case("growth", growth, slow=True),
)


def run(only: str) -> list[Result]:
    """Run the case of this name, or all whose names begin so; of all, those that are not slow."""
    chosen = [case for case in CASES if case.name == only] or [
        case for case in CASES if case.name.startswith(only) and not (case.slow and not only)
    ]
    if not chosen:
        sys.exit(f"no case called {only}; there are: {', '.join(case.name for case in CASES)}")
    results: list[Result] = []
    for case in chosen:
        print(f"measuring design/{case.name} ...", flush=True)
        try:
            found = case.measure()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            # The others are told all the same.
            found = [cases.result(case.name, float("nan"), "failed", note=str(error)[-300:])]
        for one in found:
            print(f"  {one.case}: {one.value:,.4g} {one.unit}, ratio {one.ratio}; {one.note}", flush=True)
        results += found
    return results
