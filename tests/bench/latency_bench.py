"""latency/event-to-visible: from an acknowledged batch of facts to the figure that the api shows of it.

Open loop: batches are sent when they are due, at half the rate that end to end reaches in the same run, whether
or not those before were answered. So a stall is seen by every batch that falls into it (no coordinated omission).
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.sales import Fact
from shared.db.transact import Transactor
from shared.runtime.clock import SystemClock
from tests.bench.report import SAMPLES, Result, rates
from tests.bench.sales import Sales, encode, selling
from tests.bench.stage import Stage
from tests.service.metrics.telling import recorded

CLOSED_LOOP_FACTS, CLOSED_LOOPS = 20_000, 3
FACTS_PER_BATCH = 100
SECONDS = 15.0
_LOOK_EVERY = 0.025
_LEAF = "leaf 0"
# One marked fact per batch, on a day of its own long before all others: the figure of that day tells of the batch.
_FIRST_MARKED_DAY = date(1991, 1, 1)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds of one run, batch by batch."""

    since_due: list[float]
    since_acknowledged: list[float]


@dataclass(slots=True)
class OpenLoop:
    """Sends marked batches at their times and looks for what the api shows of them."""

    sales: Sales
    marks: "count[int]" = field(default_factory=count)
    _due: dict[date, float] = field(default_factory=dict)
    _acknowledged: dict[date, float] = field(default_factory=dict)
    _seen: dict[date, float] = field(default_factory=dict)

    async def run(self, batches_per_second: float) -> Latencies:
        """Send for a while at a constant rate, and wait until all of it was seen."""
        prepared = [self._prepare() for _ in range(round(SECONDS * batches_per_second))]
        self._due, self._acknowledged, self._seen = {}, {}, {}
        looking = asyncio.create_task(self._look(len(prepared)))
        began = time.perf_counter()
        sending = []
        for number, (day, body) in enumerate(prepared):
            self._due[day] = began + number / batches_per_second
            await asyncio.sleep(max(0.0, self._due[day] - time.perf_counter()))
            sending.append(asyncio.create_task(self._send(day, body)))
        await asyncio.gather(*sending)
        await asyncio.wait_for(looking, 120)
        # A batch may be seen before its answer came: then it took no time at all.
        return Latencies(
            since_due=[self._seen[day] - self._due[day] for day in self._seen],
            since_acknowledged=[max(0.0, self._seen[day] - self._acknowledged[day]) for day in self._seen],
        )

    def _prepare(self) -> tuple[date, bytes]:
        day = _FIRST_MARKED_DAY + timedelta(days=next(self.marks))
        return day, encode([marked(day), *self.sales.new_facts(FACTS_PER_BATCH - 1)])

    async def _send(self, day: date, body: bytes) -> None:
        await self.sales.send(body)
        self._acknowledged[day] = time.perf_counter()

    async def _look(self, batches: int) -> None:
        while len(self._seen) < batches:
            if awaited := self._due.keys() - self._seen.keys():
                end = max(awaited) + timedelta(days=1)
                shown = await self.sales.counted_by_day(_LEAF, min(awaited), end)
                now = time.perf_counter()
                self._seen |= {day: now for day in awaited if str(day) in shown}
            await asyncio.sleep(_LOOK_EVERY)


def marked(day: date) -> Fact:
    """Return the fact that marks a batch."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Fact(
        source="bench",
        kind="lead",
        external_id=f"mark {day}",
        revision=1,
        created_at=noon,
        occurred_at=noon,
        account_external_id="a0",
    )


async def run(stage: Stage) -> list[Result]:
    """Measure five runs at half of the rate that three closed loops reach."""
    async with selling(stage) as sales:
        rates_ = [await sales.end_to_end(CLOSED_LOOP_FACTS) for _ in range(CLOSED_LOOPS + 1)][1:]
        half = statistics.median(rates_) / 2
        loop = OpenLoop(sales)
        runs, floors = [], []
        for sample in range(SAMPLES + 1):
            latencies, floor = await loop.run(half / FACTS_PER_BATCH), await _from_memory(loop)
            # The first round only warms up.
            if sample:
                runs.append(latencies)
                floors.append(floor)
    return _results(runs, floors, half)


async def _from_memory(loop: OpenLoop) -> float:
    """Return the seconds that one batch takes in the handler and one look at the figure, with nothing else going on."""
    day = _FIRST_MARKED_DAY + timedelta(days=next(loop.marks))
    batch = recorded(marked(day), *loop.sales.new_facts(FACTS_PER_BATCH - 1))
    started = time.perf_counter()
    await Transactor(loop.sales.engine, SystemClock(), "/bench/metrics")(apply_facts, [batch])
    await loop.sales.counted_by_day(_LEAF, day, day + timedelta(days=1))
    return time.perf_counter() - started


def _results(runs: Sequence[Latencies], floors: Sequence[float], half: float) -> list[Result]:
    due = statistics.median(_percentile(run.since_due, 99) for run in runs)
    worst = max(max(run.since_acknowledged) for run in runs)
    note = (
        f"open loop, {half:,.0f} facts/s in batches of {FACTS_PER_BATCH}, looked for every {_LOOK_EVERY * 1000:.0f} ms; "
        f"p99 since the batch was due {due * 1000:.0f} ms, worst {worst * 1000:.0f} ms; "
        "floor: handler and one look, in turn, no HTTP, no Kafka; lower is better"
    )
    return [
        rates(
            "latency",
            "event-to-visible" if percent == 99 else f"event-to-visible-p{percent}",
            unit=f"s (p{percent})",
            values=[_percentile(run.since_acknowledged, percent) for run in runs],
            floors=floors,
            note=note if percent == 99 else "the same",
        )
        for percent in (99, 95, 50)
    ]


def _percentile(seconds: Sequence[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]
