"""collab's app over a real database, and a way to feed it events as its consumer would."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.collab.app import create_app
from services.collab.consumers import CONSUMERS
from services.collab.settings import Settings
from shared.contracts.assignment import AccountAligned, PlanActivated, TerritoryNode, TreePublished
from shared.contracts.envelope import Envelope, EventContract
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.http.bootstrap import build_parts
from shared.messaging.received import Received
from shared.testing.databases import ServiceDatabase
from shared.testing.frozen_clock import A_MONDAY, FrozenClock
from shared.testing.tokens import Issuer

ROOT, NORTH, SOUTH, EAST = (UUID(int=n) for n in (1, 11, 12, 13))
NORTH_CITY = UUID(int=111)
TREE = {ROOT: None, NORTH: ROOT, SOUTH: ROOT, EAST: ROOT, NORTH_CITY: NORTH}


@dataclass(frozen=True)
class Collab:
    """The service under test."""

    engine: AsyncEngine
    http: httpx.AsyncClient
    issuer: Issuer
    clock: FrozenClock

    async def feed(self, *events: EventContract, version: int = 1) -> None:
        """Apply events of one class in one transaction; `version` numbers each key's events from there."""
        next_version: dict[str, int] = {}
        received = []
        for event in events:
            number = next_version.setdefault(event.key, version)
            next_version[event.key] += 1
            received.append(_received(event, number))
        await self.apply(received)

    async def apply(self, received: Sequence[Received[Any]]) -> None:
        """Apply received events through the handlers that the consumers would choose."""
        kind = type(received[0].event)
        handlers = [
            subscription.handlers[kind]
            for subscriptions in CONSUMERS.values()
            for subscription in subscriptions
            if kind in subscription.handlers
        ]
        assert handlers

        for handler in handlers:

            async def handle(items: Sequence[Received[Any]], uow: UnitOfWork, call: Any = handler) -> None:
                await call(items, uow)

            await self.transact(handle, received)

    @property
    def transact(self) -> Transactor:
        """Run commands as a worker does."""
        return Transactor(self.engine, self.clock, "/demo/collab")

    async def rows(self, sql: str, **binds: object) -> list[Any]:
        """Read some rows."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), binds)).all())

    async def outbox(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was announced, in order."""
        return [
            (row.type, row.payload)
            for row in await self.rows("SELECT type, payload FROM outbox ORDER BY seq")
        ]

    def as_(self, *roles: str, territories: Any = "*", subject: str = "tester") -> dict[str, str]:
        """Return the headers of a caller."""
        return self.issuer.headers(*roles, territories=territories, subject=subject)

    async def go_live(self, tree: dict[UUID, UUID | None] | None = None, *, sequence: int = 1) -> None:
        """Make a tree the live one."""
        tree_id, plan_id = uuid4(), uuid4()
        nodes = tuple(
            TerritoryNode(territory_id=territory, parent_id=parent, kind="geographic")
            for territory, parent in (tree or TREE).items()
        )
        await self.feed(TreePublished(plan_id=plan_id, tree_id=tree_id, territories=nodes))
        await self.feed(activated(plan_id, tree_id, sequence))


def activated(plan_id: UUID, tree_id: UUID, sequence: int) -> PlanActivated:
    return PlanActivated(
        plan_id=plan_id,
        tree_id=tree_id,
        activation_id=uuid4(),
        kind="activation",
        effective_at=A_MONDAY,
        previous_plan_id=None,
        sequence=sequence,
        moved_accounts=0,
    )


def aligned(
    account: UUID, source: UUID | None, target: UUID | None, activation: UUID | None
) -> AccountAligned:
    return AccountAligned(
        account_id=account,
        from_territory_id=source,
        to_territory_id=target,
        valid_from=A_MONDAY,
        plan_id=UUID(int=7),
        activation_id=activation,
        cause="import" if activation is None else "rule",
        rule_id=None,
    )


def _received(event: EventContract, version: int) -> Received[Any]:
    envelope = Envelope(id=str(uuid4()), source="/demo/test", type=event.TYPE, aggregateversion=version)
    return Received(event, envelope, event.TOPIC, 0, version, event.key)


NewDatabase = Callable[[str], Awaitable[ServiceDatabase]]


@pytest.fixture
async def collab(service_database: NewDatabase, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Collab]:
    database = await service_database("collab")
    issuer = Issuer()
    settings = Settings(
        environment="development", database_url=database.app_url, auth_jwks=issuer.write_jwks(tmp_path)
    )
    parts = build_parts(settings, service="collab", clock=clock)
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://collab") as http:
        yield Collab(parts.engine, http, issuer, clock)
    await parts.engine.dispose()
