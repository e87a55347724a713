"""Several consumers at once: nothing is lost, nothing is counted twice, nothing deadlocks for good."""

import asyncio
import random
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.journeys.commands import trace_journeys
from services.metrics.reconciliations.commands import Reconcile, reconcile
from shared.contracts.identity import account_id_of
from shared.db.outbox import Outbox
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.partitioning import partition_of
from shared.testing.frozen_clock import A_MONDAY
from shared.testing.waiting import eventually
from tests.service.metrics.recomputation import Inputs, recompute
from tests.service.metrics.telling import (
    A_DAY,
    activated,
    aligned,
    fact,
    read_cells,
    recorded,
    trace_all,
    tree,
)

WRITERS, BATCHES = 3, 12
_WAITING = """
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TREES = [
    tree({"north": None, "south": None, "n1": "north", "n2": "north", "s1": "south"}),
    tree({"north": None, "south": None, "n1": "south", "n2": "north", "s1": "south"}),
]


async def test_writers_at_once_end_where_one_alone_would(transact: Transactor, engine: AsyncEngine):
    """Facts in every partition, corrected by other writers, while accounts move and the tree changes."""
    rng = random.Random(5)
    facts = [
        fact(
            f"o{n}",
            revision=revision,
            account_external_id=f"a{rng.randrange(8)}",
            occurred_at=A_DAY + timedelta(hours=rng.randrange(72)),
            amount=f"{rng.randrange(1, 9999) / 100:.2f}",
        )
        for n in range(400)
        for revision in (1, 2)
    ]
    rng.shuffle(facts)
    alignments = [
        aligned(f"a{n}", rng.choice(["n1", "n2", "s1"]), version=v, valid_from=A_DAY + timedelta(hours=6 * v))
        for v in range(1, 9)
        for n in range(8)
    ]
    activations = [
        activated(TREES[n % 2], sequence=n, effective_at=A_DAY + timedelta(hours=7 * n)) for n in range(1, 5)
    ]

    async def write(partition: int) -> None:
        mine = facts[partition::WRITERS]
        for n in range(BATCHES):
            await transact(apply_facts, [recorded(*mine[n::BATCHES], partition=partition)])

    async def align(writer: int) -> None:
        """Two at once, and of the same accounts: more than partitions by account would let happen."""
        for n in range(4 * writer, len(alignments), 8):
            await transact(record_alignments, alignments[n : n + 4])

    async def activate() -> None:
        for published, news in zip([*TREES, *TREES], activations, strict=True):
            await transact(record_trees, [published])
            await transact(record_activations, [news])

    async def trace() -> None:
        for _ in range(BATCHES):
            await transact(trace_journeys, 5)

    async with asyncio.TaskGroup() as group:
        for partition in range(WRITERS):
            group.create_task(write(partition))
        group.create_task(align(0))
        group.create_task(align(1))
        group.create_task(activate())
        group.create_task(trace())

    await trace_all(transact)
    made = await transact(reconcile, Reconcile())
    assert made.differences == ()
    assert made.facts == 400
    expected = recompute(
        Inputs(
            facts=facts,
            alignments={(r.event.account_id, r.version): r.event for r in alignments},
            activations=[r.event for r in activations],
            trees=[r.event for r in TREES],
        )
    )
    async with engine.connect() as connection:
        assert await read_cells(connection) == expected
        used = await connection.execute(text("SELECT count(DISTINCT slot) FROM rollup_days"))
        assert used.scalar_one() >= WRITERS


def _account_in(partition: int) -> str:
    """Return the name of an account whose events are in this partition of eight."""
    names = (f"a{n}" for n in count())
    return next(name for name in names if partition_of(str(account_id_of(name)).encode(), 8) == partition)


async def test_moves_of_another_partition_do_not_wait_for_each_other(
    transact: Transactor, engine: AsyncEngine
):
    first, second = _account_in(1), _account_in(2)
    async with engine.begin() as connection:
        uow = UnitOfWork(connection, A_MONDAY, "test", Outbox(source="/test"))
        await record_alignments([aligned(first, "n1", version=1)], uow)

        async with asyncio.timeout(10):
            await transact(record_alignments, [aligned(second, "n2", version=1)])
            await transact(apply_facts, [recorded(fact("of another", account_external_id=second))])


@pytest.mark.parametrize("waits", ["facts", "move", "tree"])
async def test_what_concerns_an_account_that_is_being_moved_waits(
    transact: Transactor, engine: AsyncEngine, waits: str
):
    account = _account_in(1)
    await transact(record_trees, [TREES[0]])
    handlers: dict[str, tuple[Any, Any]] = {
        "facts": (apply_facts, recorded(fact(account_external_id=account))),
        "move": (record_alignments, aligned(account, "n2", version=2)),
        "tree": (record_trees, TREES[1]),
    }
    async with engine.begin() as connection:
        uow = UnitOfWork(connection, A_MONDAY, "test", Outbox(source="/test"))
        await record_alignments([aligned(account, "n1", version=1)], uow)
        handler, news = handlers[waits]
        waiting = asyncio.create_task(transact(handler, [news]))
        await eventually(lambda: _somebody_waits(engine))
        assert not waiting.done()
    await waiting


async def _somebody_waits(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        found = await connection.execute(text(_WAITING))
        return found.first() is not None
