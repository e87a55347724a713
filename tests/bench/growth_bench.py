"""growth: from ten thousand facts to ten million, how fast facts are read in and how long a question takes.

Not among the benches that run by default: half an hour or more. Facts go through the consumer's own handler, as
many transactions at once as it runs, without HTTP and Kafka in front of it; they come in the order of time over
three years, one in twenty up to a quarter of a year late. Nothing is bulk-loaded: the ten millionth fact is stored,
credited and rolled up by the same statements as the first. No worker runs: its two queues only grow.
"""

import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from shared.contracts.identity import account_id_of
from shared.contracts.sales import Fact
from tests.bench.organisation import END, REGION, make_fact
from tests.bench.report import Result
from tests.bench.sales import Sales, selling
from tests.bench.stage import Stage
from tests.plotting import line_chart

SIZES = (10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
ACCOUNTS = 100_000
YEARS = timedelta(days=3 * 365)
LATE_ONE_IN, LATEST = 20, timedelta(days=90)
FACTS_AT_ONCE = 50_000
QUESTIONS = 21
"""How often each question is asked; the middle one counts."""
CHARTS, NUMBERS = Path("docs/img"), Path(".local/growth.json")


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured on the way to so many facts, and there."""

    facts: int
    facts_per_second: float
    region_year_ms: float
    account_ms: float


async def run(stage: Stage) -> list[Result]:
    """Read facts in and ask at each size; write the numbers and the charts."""
    sizes: list[Size] = []
    dice = random.Random(7)
    async with selling(stage, "api", accounts=ACCOUNTS, facts=arriving(dice)) as sales:
        for facts in SIZES:
            stored = sizes[-1].facts if sizes else 0
            rate = await _grow(sales, facts - stored)
            sizes.append(
                Size(facts, rate, await _ask_for_region(sales, facts), await _ask_for_account(sales))
            )
            print(sizes[-1], flush=True)
            _keep(sizes)
    return _results(sizes)


def arriving(dice: random.Random) -> Iterator[Fact]:
    """Yield the facts of three years in the order of time, some of them late."""
    step = YEARS / SIZES[-1]
    at = END - YEARS
    while True:
        at += step
        late = dice.random() * LATEST if dice.randrange(LATE_ONE_IN) == 0 else timedelta()
        yield make_fact(dice, at - late, accounts=ACCOUNTS)


async def _grow(sales: Sales, facts: int) -> float:
    """Read so many facts in; return how many per second, the time for making them up not counted."""
    seconds = 0.0
    for start in range(0, facts, FACTS_AT_ONCE):
        number = min(FACTS_AT_ONCE, facts - start)
        seconds += number / await sales.from_memory(number)
    return facts / seconds


async def _ask_for_region(sales: Sales, stored: int) -> float:
    """Return the milliseconds of a region's figures by month, for the year that ends with the newest fact."""
    end = (END - YEARS + stored * (YEARS / SIZES[-1])).date() + timedelta(days=1)
    asked = {"view": "as_is", "from": str(end - timedelta(days=365)), "to": str(end), "grain": "month"}
    return await _milliseconds(sales, "/v1/figures", {**asked, "territory_id": str(REGION)})


async def _ask_for_account(sales: Sales) -> float:
    """Return the milliseconds of a page of one account's facts."""
    return await _milliseconds(sales, "/v1/facts", {"account_id": str(account_id_of("a7")), "limit": "50"})


async def _milliseconds(sales: Sales, path: str, asked: dict[str, str]) -> float:
    took = []
    for _ in range(QUESTIONS):
        started = time.perf_counter()
        (await sales.http.get(path, params=asked)).raise_for_status()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)


def _keep(sizes: Sequence[Size]) -> None:
    """Write what was measured so far: a run that is broken off has not been in vain."""
    NUMBERS.parent.mkdir(parents=True, exist_ok=True)
    NUMBERS.write_text(json.dumps([asdict(size) for size in sizes], indent=1) + "\n")
    line_chart(
        CHARTS / "growth-ingest.svg",
        "Facts read in per second, up to so many stored",
        "facts stored",
        "facts per second",
        {"handler fed from memory": [(size.facts, size.facts_per_second) for size in sizes]},
        log_x=True,
    )
    line_chart(
        CHARTS / "growth-questions.svg",
        "Time of a question, with so many facts stored",
        "facts stored",
        "milliseconds",
        {
            "a region's trailing year by month": [(size.facts, size.region_year_ms) for size in sizes],
            "a page of an account's facts": [(size.facts, size.account_ms) for size in sizes],
        },
        log_x=True,
    )


def _results(sizes: Sequence[Size]) -> list[Result]:
    floor = sizes[min(1, len(sizes) - 1)]
    return [
        Result(
            bench="growth",
            case=f"to-{size.facts:,}",
            value=round(size.facts_per_second, 1),
            unit="facts/s",
            floor=round(floor.facts_per_second, 1),
            ratio=round(size.facts_per_second / floor.facts_per_second, 3),
            samples=1,
            note=f"a region's year {size.region_year_ms:.1f} ms, an account's facts {size.account_ms:.1f} ms; "
            f"floor: the rate up to {floor.facts:,}",
        )
        for size in sizes
    ]
