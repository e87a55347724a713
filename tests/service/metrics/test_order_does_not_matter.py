"""Facts, corrections, voids, alignments, activations and trees may come in any order, repeated, in any batches."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from services.metrics.journeys.commands import trace_journeys
from shared.contracts.sales import Fact
from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received
from shared.testing.frozen_clock import A_MONDAY
from tests.service.metrics.recomputation import Inputs, recompute
from tests.service.metrics.telling import activated, aligned, fact, read_cells, recorded, tree

HISTORIES, SHUFFLES = 20, 10
MOMENTS = [
    datetime(2026, month, day, hour, tzinfo=UTC)
    for month, day in [(1, 1), (1, 2), (1, 3), (1, 7), (1, 8), (2, 6), (3, 31), (4, 2)]
    for hour in (0, 9, 15)
]
TREES = [
    {"north": None, "south": None, "n1": "north", "n2": "north", "s1": "south"},
    {"north": None, "south": None, "n1": "north", "n2": "south", "s1": "south"},
    {"all": None, "north": "all", "south": "all", "n1": "north", "n2": "n1", "new": "south"},
]
HANDLERS = {
    "facts": apply_facts,
    "alignments": record_alignments,
    "activations": record_activations,
    "trees": record_trees,
}


class History:
    """A small past, made up at random: corrections change everything that a correction may change."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        accounts = [f"a{n}" for n in range(5)]
        territories = ["n1", "n2", "s1", "north", "new", "elsewhere", None]
        versions = dict.fromkeys(accounts, 0)
        self.alignments = []
        for account in rng.choices(accounts, k=rng.randint(3, 14)):
            versions[account] += rng.randint(1, 2)
            valid_from = rng.choice(MOMENTS)
            self.alignments.append(
                aligned(account, rng.choice(territories), version=versions[account], valid_from=valid_from)
            )
        self.trees = [tree(parents) for parents in TREES]
        self.activations = [
            activated(rng.choice(self.trees), sequence=n + 1, effective_at=rng.choice(MOMENTS))
            for n in range(rng.randint(0, 4))
        ]
        self.facts = [revision for n in range(25) for revision in self._revisions(f"f{n}", accounts)]

    def _revisions(self, name: str, accounts: list[str]) -> list[Fact]:
        rng = self.rng
        kind = rng.choice(["order", "order", "opportunity", "lead", "lead", "spend", "deal", "refund"])
        created_at = rng.choice(MOMENTS)
        made = []
        for revision in range(1, rng.randint(2, 5)):
            told = {"kind": kind, "revision": revision, "created_at": created_at}
            told["occurred_at"] = rng.choice(MOMENTS) + timedelta(minutes=rng.randint(-1, 1))
            told["account_external_id"] = (
                rng.choice([*accounts, None]) if kind == "spend" else rng.choice(accounts)
            )
            if kind == "opportunity":
                told["stage"] = rng.choice(["open", "won", "lost"])
            if kind != "lead":
                currency, amount = rng.choice(
                    [("USD", "19.99"), ("JPY", "500"), ("BHD", "1.234"), ("USD", "-4.01")]
                )
                told |= {"currency": currency, "amount": amount}
            if kind in {"lead", "spend"}:
                told |= {"channel": rng.choice(["fair", None]), "paid": rng.choice([True, False, None])}
            if kind == "refund":
                told |= {"order_external_id": f"f{rng.randrange(25)}", "amount": told["amount"].lstrip("-")}
            if kind in {"order", "deal", "opportunity"}:
                told["lead_external_id"] = rng.choice([None, None, f"f{rng.randrange(25)}"])
            made.append(fact(name, **told, voided=rng.random() < 0.15))
        return rng.sample(made, rng.randint(1, len(made)))

    def inputs(self) -> Inputs:
        """Return the past as sets."""
        return Inputs(
            facts=[row_of(told) for told in self.facts],
            alignments={(r.event.account_id, r.version): r.event for r in self.alignments},
            activations=[r.event for r in self.activations],
            trees=[r.event for r in self.trees],
        )

    def told(self) -> Iterator[tuple[str, list[Received[Any]]]]:
        """Tell the past in another order each time, with repetitions, in batches as the handlers get them."""
        rng = self.rng
        news = [("facts", recorded(told, partition=rng.randrange(8))) for told in self.facts]
        news += [("alignments", r) for r in self.alignments]
        news += [("activations", r) for r in self.activations]
        news += [("trees", r) for r in self.trees]
        news += rng.choices(news, k=len(news) // 4)
        rng.shuffle(news)
        while news:
            size = rng.randint(1, 40)
            some, news = news[:size], news[size:]
            for name in rng.sample(sorted(HANDLERS), len(HANDLERS)):
                if batch := [r for kind, r in some if kind == name]:
                    yield name, batch


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_any_order_ends_in_the_roll_ups_of_the_set(engine: AsyncEngine, seed: int):
    """The proof behind "order does not matter": shuffled, repeated, cut anywhere, against a recomputation."""
    history = History(random.Random(seed))
    expected = recompute(history.inputs())
    for _ in range(SHUFFLES):
        # Undone instead of committed: the statements see their own transaction, and the next order starts
        # from nothing.
        async with engine.connect() as connection:
            uow = UnitOfWork(connection, A_MONDAY, "test", Outbox(source="/test"))
            for name, batch in history.told():
                await HANDLERS[name](batch, uow)
                if history.rng.random() < 0.3:
                    await trace_journeys(3, uow)
            while await trace_journeys(10, uow):
                pass
            assert await read_cells(connection) == expected
