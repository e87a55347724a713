"""Several consumers at once: nothing is lost, nothing is counted twice, nothing deadlocks for good."""

import asyncio
import random
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.journeys.commands import trace_journeys
from services.metrics.reconciliations.commands import Reconcile, reconcile
from shared.db.transact import Transactor
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

    async def align() -> None:
        for n in range(0, len(alignments), 8):
            await transact(record_alignments, alignments[n : n + 8])

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
        group.create_task(align())
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
