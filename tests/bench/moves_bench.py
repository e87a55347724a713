"""moves: accounts that change hands with what was counted for them, read from eight partitions at once.

The floor is the same batches one after the other, as one lock around all of attribution would have them.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.assignment import AccountAligned
from shared.contracts.identity import account_id_of
from shared.contracts.sales import MAX_FACTS_PER_RECORD
from shared.db.engine import build_engine
from shared.db.transact import Transactor
from shared.kafka.partitioning import partition_of
from shared.messaging.received import Received
from shared.messaging.run import CONSUMER_LIMITS
from shared.runtime.clock import SystemClock
from tests.bench.organisation import LEAVES, SINCE, found_tree, make_facts
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage
from tests.service.metrics.telling import aligned, recorded

ACCOUNTS, FACTS, PARTITIONS, MOVES_PER_BATCH = 5_000, 50_000, 8, 100
AT_ONCE = 4
"""Transactions that a consumer runs at once."""


@dataclass(slots=True)
class Movers:
    """Accounts by partition, each moved once per sample."""

    transact: Transactor
    names: list[list[str]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    version: int = 1

    async def at_once(self) -> float:
        """Move all accounts, partitions side by side; return moves per second."""
        room = asyncio.Semaphore(AT_ONCE)

        async def read(batches: Sequence[Sequence[Received[AccountAligned]]]) -> None:
            for batch in batches:
                async with room:
                    await self.transact(record_alignments, batch)

        news = self._news()
        started = time.perf_counter()
        await asyncio.gather(*map(read, news))
        return ACCOUNTS / (time.perf_counter() - started)

    async def in_turn(self) -> float:
        """Move all accounts, one batch after the other; return moves per second."""
        news = self._news()
        started = time.perf_counter()
        for batches in news:
            for batch in batches:
                await self.transact(record_alignments, batch)
        return ACCOUNTS / (time.perf_counter() - started)

    def _news(self) -> list[list[list[Received[AccountAligned]]]]:
        self.version += 1
        return [
            [
                [self._move(name, partition) for name in names[start : start + MOVES_PER_BATCH]]
                for start in range(0, len(names), MOVES_PER_BATCH)
            ]
            for partition, names in enumerate(self.names)
        ]

    def _move(self, name: str, partition: int) -> Received[AccountAligned]:
        """Tell of a month's move to the next leaf."""
        to = f"leaf {(int(name[1:]) + self.version) % LEAVES}"
        since = SINCE + timedelta(days=20 * self.version)
        return aligned(name, to, version=self.version, valid_from=since, partition=partition)


async def run(stage: Stage) -> list[Result]:
    """Measure moves of accounts with ten facts each."""
    database = await stage.databases.for_service("metrics")
    engine = build_engine(
        database.app_url, schema="metrics", application_name="bench", limits=CONSUMER_LIMITS
    )
    await found_tree(engine, accounts=ACCOUNTS)
    movers = Movers(Transactor(engine, SystemClock(), "/bench/metrics"))
    facts = make_facts(random.Random(7), accounts=ACCOUNTS)
    for start in range(0, FACTS, MAX_FACTS_PER_RECORD):
        partition = start // MAX_FACTS_PER_RECORD % PARTITIONS
        batch = recorded(*islice(facts, MAX_FACTS_PER_RECORD), partition=partition)
        await movers.transact(apply_facts, [batch])
    for number in range(ACCOUNTS):
        key = str(account_id_of(f"a{number}")).encode()
        movers.names[partition_of(key, PARTITIONS)].append(f"a{number}")
    values, floors = await paired(movers.at_once, movers.in_turn)
    await engine.dispose()
    note = (
        f"{ACCOUNTS:,} accounts with {FACTS // ACCOUNTS} facts each, {MOVES_PER_BATCH} a batch, {PARTITIONS} partitions, "
        f"{AT_ONCE} transactions at once; floor: the same batches in turn"
    )
    return [rates("moves", "eight-partitions", unit="moves/s", values=values, floors=floors, note=note)]
