"""The processes that facts pass through (api, relay, consumer of metrics) over an organisation, and who sends them."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TypeVar

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.sales import MAX_FACTS_PER_RECORD, Fact, FactsRecorded
from shared.db.engine import build_engine
from shared.db.transact import Transactor
from shared.messaging.received import Received
from shared.messaging.run import CONSUMER_LIMITS
from shared.runtime.clock import SystemClock
from shared.testing.waiting import eventually
from tests.bench.organisation import END, SINCE, found_tree, make_facts
from tests.bench.stage import Stage
from tests.processes import ServiceProcesses
from tests.service.metrics.telling import recorded, territory

T = TypeVar("T")

ACCOUNTS = 5_000
FACTS_PER_REQUEST, SENDERS = 1_000, 4
PARTITIONS = 8
PASSED_THROUGH = ("api", "relay", "consumer")
RECORDS_PER_TRANSACTION, TRANSACTIONS_AT_ONCE = 5, 4
"""What a consumer that has much to read does: about a mebibyte of a partition, four partitions at once."""


@dataclass(frozen=True, slots=True)
class Sales:
    """Processes over a tree of 1 + 4 + 12 + 60 territories with aligned accounts, and facts to come."""

    processes: ServiceProcesses
    http: httpx.AsyncClient
    engine: AsyncEngine
    facts: Iterator[Fact]

    def new_facts(self, number: int) -> list[Fact]:
        """Return facts of a year."""
        return list(islice(self.facts, number))

    async def send(self, body: bytes) -> None:
        """Post facts, already encoded; returns when they are acknowledged."""
        answer = await self.http.post("/v1/facts", content=body, headers={"content-type": "application/json"})
        if answer.status_code != 202:
            raise RuntimeError(f"POST /v1/facts: {answer.status_code} {answer.text[:300]}")

    async def counted(self) -> int:
        """Return how many facts the api shows for everything below the root."""
        return sum((await self.counted_by_day("root", SINCE.date(), END.date(), grain="total")).values())

    async def counted_by_day(
        self, name: str, first: date, end: date, *, grain: str = "day"
    ) -> dict[str | None, int]:
        """Return how many facts the api shows for a territory, by day."""
        asked = {"view": "as_is", "from": str(first), "to": str(end), "territory_id": str(territory(name))}
        answer = await self.http.get("/v1/figures", params={**asked, "grain": grain})
        found: dict[str | None, int] = {}
        for row in answer.raise_for_status().json()["rows"]:
            found[row["period"]] = found.get(row["period"], 0) + row["facts"]
        return found

    async def end_to_end(self, number: int) -> float:
        """Send facts until the api shows all of them; return facts per second."""
        before = await self.counted()
        bodies = [encode(some) for some in cut(self.new_facts(number), FACTS_PER_REQUEST)]
        started = time.perf_counter()
        queue = iter(bodies)
        await asyncio.gather(*(self._send_all(queue) for _ in range(SENDERS)))

        async def all_counted() -> bool:
            return await self.counted() == before + number

        await eventually(all_counted, timeout=300, every=0.1)
        return number / (time.perf_counter() - started)

    async def from_memory(self, number: int, *, at_once: int = TRANSACTIONS_AT_ONCE) -> float:
        """Give the consumer's handler records of facts from memory; return facts per second."""
        records = [
            recorded(*some, partition=at % PARTITIONS)
            for at, some in enumerate(cut(self.new_facts(number), MAX_FACTS_PER_RECORD))
        ]
        of_partition = [records[partition::PARTITIONS] for partition in range(PARTITIONS)]
        transact = Transactor(self.engine, SystemClock(), "/bench/metrics")
        room = asyncio.Semaphore(at_once)

        async def apply_in_order(records: Sequence[Received[FactsRecorded]]) -> None:
            for batch in cut(records, RECORDS_PER_TRANSACTION):
                async with room:
                    await transact(apply_facts, batch)

        started = time.perf_counter()
        await asyncio.gather(*map(apply_in_order, of_partition))
        return number / (time.perf_counter() - started)

    async def _send_all(self, bodies: Iterator[bytes]) -> None:
        for body in bodies:
            await self.send(body)


def cut(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into pieces of one size; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def encode(facts: Sequence[Fact]) -> bytes:
    """Return the body of a request."""
    return b'{"facts":[%s]}' % b",".join(fact.model_dump_json(exclude_none=True).encode() for fact in facts)


@asynccontextmanager
async def selling(
    stage: Stage, *roles: str, accounts: int = ACCOUNTS, facts: Iterator[Fact] | None = None
) -> AsyncIterator[Sales]:
    """Start the processes over an organisation; without roles named, all that facts pass through."""
    async with stage.processes_of("metrics") as processes:
        engine = build_engine(
            processes.database_url("metrics_app"),
            schema="metrics",
            application_name="bench",
            limits=CONSUMER_LIMITS,
        )
        await found_tree(engine, accounts=accounts)
        processes.start(*(f"metrics.{role}" for role in roles or PASSED_THROUGH))
        async with httpx.AsyncClient(
            base_url=processes.endpoints().urls["metrics"],
            headers={"authorization": f"Bearer {processes.token(role='admin')}"},
            limits=httpx.Limits(max_connections=None),
            timeout=120,
        ) as http:
            yield Sales(processes, http, engine, facts or make_facts(random.Random(7), accounts=accounts))
        await engine.dispose()
