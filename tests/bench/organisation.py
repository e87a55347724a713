"""An organisation for benches of metrics: a tree in force, accounts aligned, facts stored and rolled up."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.attribution.credit import deltas_of
from services.metrics.coverages.commands import start_coverages
from services.metrics.facts.fact_row import FactRow, row_of
from services.metrics.journeys.commands import trace_journeys
from services.metrics.rollups.figure import COUNTED_COLUMNS
from services.metrics.rollups.roll_up import ROLL_UP, SLOTS
from shared.contracts.assignment import CoverageStarted
from shared.contracts.sales import Fact
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.clock import SystemClock
from tests.service.metrics.telling import activated, aligned, received, territory, tree

LEAVES = 60
SINCE, END = datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
REGION = territory("region 0")
CHUNK = 5_000
TRACED = 1_000
_PATIENTLY = text("SET LOCAL statement_timeout = 0")

# Facts come by partitions, which spread the copies of every cell: here their keys do.
_ROLL_UP = text(f"""
WITH signed AS (
    SELECT 1 AS sign, {", ".join(COUNTED_COLUMNS)} FROM facts
    WHERE get_byte(uuid_send(entity_key), 15) % {SLOTS} = :slot
), deltas AS ({deltas_of("signed")}), {ROLL_UP}
SELECT 1
""")
# A tenth of the accounts, a millisecond each: the rest only has no new customers and no conversions.
_UNTRACED = """
INSERT INTO metrics.untraced_accounts (account_id)
SELECT DISTINCT account_id FROM metrics.facts
WHERE kind IN ('lead', 'order') AND get_byte(uuid_send(account_id), 15) % 10 = 0
"""


async def found_tree(engine: AsyncEngine, *, accounts: int) -> None:
    """Put a tree of 1 + 4 + 12 + 60 territories in force and align the accounts."""
    parents: dict[str, str | None] = {"root": None, **{f"region {n}": "root" for n in range(4)}}
    parents |= {f"area {n}": f"region {n % 4}" for n in range(12)}
    parents |= {f"leaf {n}": f"area {n % 12}" for n in range(LEAVES)}
    published = tree(parents)
    transact = Transactor(engine, SystemClock(), "/bench/metrics")
    await transact(record_trees, [published])
    await transact(record_activations, [activated(published, sequence=1, effective_at=SINCE)])
    moves = [aligned(f"a{n}", f"leaf {n % LEAVES}", version=1, valid_from=SINCE) for n in range(accounts)]
    for start in range(0, accounts, CHUNK):
        await transact(record_alignments, moves[start : start + CHUNK])


async def found_facts(engine: AsyncEngine, raw: asyncpg.Connection, *, accounts: int, facts: int) -> None:
    """Have so many facts of a year stored, rolled up and traced, and a rep for each leaf.

    By statements: how fast facts are read in is another bench.
    """
    await found_tree(engine, accounts=accounts)
    made = make_facts(random.Random(7), accounts=accounts)
    for _ in range(0, facts, CHUNK):
        await copy_facts(raw, [next(made) for _ in range(CHUNK)], schema="metrics", table="facts")

    async def roll_up(slot: int, uow: UnitOfWork) -> None:
        await uow.connection.execute(_PATIENTLY)
        await uow.connection.execute(_ROLL_UP, {"slot": slot})

    async def trace(limit: int, uow: UnitOfWork) -> int:
        await uow.connection.execute(_PATIENTLY)
        return await trace_journeys(limit, uow)

    transact = Transactor(engine, SystemClock(), "/bench/metrics")
    for slot in range(SLOTS):
        await transact(roll_up, slot)
    await raw.execute("VACUUM ANALYZE")
    await raw.execute(_UNTRACED)
    while await transact(trace, TRACED):
        pass
    await transact(start_coverages, [received(_covers(n)) for n in range(LEAVES)])
    await raw.execute("VACUUM ANALYZE")


def _covers(leaf: int) -> CoverageStarted:
    return CoverageStarted(
        coverage_id=uuid4(),
        territory_id=territory(f"leaf {leaf}"),
        rep_id=uuid4(),
        role="primary",
        share_percent=Decimal(100),
        valid_from=SINCE,
    )


async def copy_facts(raw: asyncpg.Connection, facts: Sequence[Fact], *, schema: str, table: str) -> None:
    """COPY facts into a table as the service's statements would store them."""
    now = datetime.now(UTC)
    await raw.copy_records_to_table(
        table,
        schema_name=schema,
        columns=[*FactRow._fields, "day", "recorded_at"],
        records=[(*row, row.occurred_at.date(), now) for row in map(row_of, facts)],
    )


def make_facts(dice: random.Random, *, accounts: int) -> Iterator[Fact]:
    """Yield orders, opportunities and leads of a year without end."""
    seconds = int((END - SINCE).total_seconds())
    while True:
        yield make_fact(dice, SINCE + timedelta(seconds=dice.randrange(seconds)), accounts=accounts)


def make_fact(dice: random.Random, at: datetime, *, accounts: int) -> Fact:
    """Return an order, an opportunity or a lead of this instant."""
    kind = dice.choice(("order", "order", "opportunity", "lead"))
    money = kind != "lead"
    return Fact(
        source="bench",
        kind=kind,
        external_id=f"{dice.getrandbits(64):x}",
        revision=1,
        created_at=at,
        occurred_at=at,
        account_external_id=f"a{dice.randrange(accounts)}",
        stage=dice.choice(("won", "lost", "open")) if kind == "opportunity" else None,
        amount=f"{dice.randrange(100, 900_000) / 100:.2f}" if money else None,
        currency="USD" if money else None,
    )
