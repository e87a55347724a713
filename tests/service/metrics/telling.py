"""Short ways to say what happened: events as the handlers receive them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.journeys.commands import trace_journeys
from services.metrics.rollups.figure import FIGURES
from shared.contracts.assignment import AccountAligned, PlanActivated, TerritoryNode, TreePublished
from shared.contracts.envelope import Envelope, EventContract
from shared.contracts.identity import account_id_of, tree_id_of
from shared.contracts.sales import Fact, FactsRecorded
from shared.db.transact import Transactor
from shared.messaging.received import Received

E = TypeVar("E", bound=EventContract)
NAMESPACE = UUID("11111111-2222-3333-4444-555555555555")
A_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def territory(name: str) -> UUID:
    """Return the id that tests give to a territory of this name."""
    return uuid5(NAMESPACE, name)


def received(event: E, *, version: int = 1, partition: int = 0) -> Received[E]:
    """Return an event as if it had been read."""
    envelope = Envelope(id=str(uuid4()), source="/test", type=event.TYPE, aggregateversion=version)
    return Received(event, envelope, event.TOPIC, partition, 0, event.key)


def fact(external_id: str = "o1", **told: Any) -> Fact:
    """Return a fact: an order of account a1 unless told otherwise."""
    usual: dict[str, Any] = {
        "source": "crm",
        "kind": "order",
        "external_id": external_id,
        "revision": 1,
        "created_at": A_DAY,
        "occurred_at": A_DAY,
        "account_external_id": "a1",
    }
    if told.get("kind", "order") in {"order", "spend", "deal", "refund"} and not told.get("voided"):
        usual |= {"amount": "100.00", "currency": "USD"}
    if told.get("kind") == "refund":
        usual["order_external_id"] = "o1"
    return Fact.model_validate({**usual, **told})


def recorded(*facts: Fact, partition: int = 0) -> Received[FactsRecorded]:
    """Return facts as one record."""
    return received(FactsRecorded(batch_id=uuid4(), facts=facts), version=0, partition=partition)


def aligned(
    account: str,
    to: str | None,
    *,
    version: int,
    valid_from: datetime = A_DAY - timedelta(days=365),
    partition: int = 0,
) -> Received[AccountAligned]:
    """Return the news that an account belongs to a territory from an instant on."""
    event = AccountAligned(
        account_id=account_id_of(account),
        from_territory_id=None,
        to_territory_id=None if to is None else territory(to),
        valid_from=valid_from,
        plan_id=NAMESPACE,
        activation_id=None,
        cause="rule",
        rule_id=None,
    )
    return received(event, version=version, partition=partition)


def tree(parents: Mapping[str, str | None]) -> Received[TreePublished]:
    """Return the news of a tree, given as name -> name of the parent."""
    nodes = tuple(
        TerritoryNode(territory_id=territory(name), parent_id=parent and territory(parent), kind="geographic")
        for name, parent in parents.items()
    )
    tree_id = tree_id_of((node.territory_id, node.parent_id) for node in nodes)
    return received(TreePublished(plan_id=tree_id, tree_id=tree_id, territories=nodes))


def activated(
    published: Received[TreePublished], *, sequence: int, effective_at: datetime = A_DAY - timedelta(days=365)
) -> Received[PlanActivated]:
    """Return the news that the plan with this tree is in force."""
    event = PlanActivated(
        plan_id=published.event.plan_id,
        tree_id=published.event.tree_id,
        activation_id=uuid4(),
        kind="activation",
        effective_at=effective_at,
        previous_plan_id=None,
        sequence=sequence,
        moved_accounts=0,
    )
    return received(event, version=sequence)


async def trace_all(transact: Transactor) -> None:
    """Trace the journeys of all accounts that wait for it, as the worker does."""
    while await transact(trace_journeys, 100):
        pass


TREE = tree({"north": None, "n1": "north", "n2": "north", "south": None, "s1": "south"})
YEAR = {"from": "2026-01-01", "to": "2027-01-01"}

_CELLS = text(f"""
SELECT view, territory_id, day, currency, {", ".join(f"isum({name}) AS {name}" for name in FIGURES)}
FROM rollup_days GROUP BY view, territory_id, day, currency
""")


async def read_cells(connection: AsyncConnection) -> dict[tuple[int, UUID, date, str], dict[str, int]]:
    """Return every cell of the roll-ups that is not zero."""
    cells = {}
    for row in await connection.execute(_CELLS):
        figures = {name: n for name, n in zip(FIGURES, row[4:], strict=True) if n}
        if figures:
            cells[tuple(row[:4])] = figures
    return cells


async def read_revenue(connection: AsyncConnection, view: int, territories: Iterable[str]) -> dict[str, int]:
    """Return the revenue of territories in minor units, over all days and currencies."""
    cells = await read_cells(connection)
    names = {territory(name): name for name in territories}
    found = dict.fromkeys(names.values(), 0)
    for (of_view, of_territory, _, _), figures in cells.items():
        if of_view == view and of_territory in names:
            found[names[of_territory]] += figures.get("revenue_minor", 0)
    return found
