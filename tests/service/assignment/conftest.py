"""assignment's app over a real database, and the words in which tests speak to it."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.assignment.app import create_app
from services.assignment.settings import Settings
from shared.http.bootstrap import build_parts
from shared.testing.databases import Databases
from shared.testing.frozen_clock import FrozenClock
from shared.testing.tokens import Issuer

ROOT, NORTH, SOUTH, CITY = (UUID(int=n) for n in (0x100, 0x111, 0x112, 0x1111))
TREE = [
    {"territory_id": str(ROOT), "name": "Root", "kind": "geographic"},
    {"territory_id": str(NORTH), "name": "North", "kind": "geographic", "parent_id": str(ROOT)},
    {"territory_id": str(SOUTH), "name": "South", "kind": "geographic", "parent_id": str(ROOT)},
    {"territory_id": str(CITY), "name": "City", "kind": "geographic", "parent_id": str(NORTH)},
]
COUNTIES = {CITY: "01001", NORTH: "01003", SOUTH: "02001"}


def rule_id(territory: UUID) -> str:
    """Return the id of the one rule that sends to a territory."""
    return str(UUID(int=territory.int + (1 << 32)))


def county_rule(territory: UUID, county: str, *, position: int = 10) -> dict[str, Any]:
    """Return a rule that sends a county to a territory."""
    return {
        "rule_id": rule_id(territory),
        "name": f"county {county}",
        "territory_id": str(territory),
        "position": position,
        "condition": {"field": "county", "op": "eq", "value": county},
    }


RULES = [county_rule(territory, county) for territory, county in COUNTIES.items()]


@dataclass(frozen=True)
class Assignment:
    """The service under test; requests are an administrator's unless they say otherwise."""

    engine: AsyncEngine
    http: httpx.AsyncClient
    issuer: Issuer
    clock: FrozenClock

    def caller(self, *roles: str, territories: str | Iterable[UUID] = "*") -> dict[str, str]:
        """Return the headers of another caller."""
        return self.issuer.headers(*roles, territories=territories)

    async def import_accounts(self, *accounts: Mapping[str, Any]) -> dict[str, Any]:
        """Import accounts and return the report."""
        content = "\n".join(json.dumps({"name": "Some company", **account}) for account in accounts)
        answer = await self.http.post(
            "/v1/accounts/imports", content=content, headers={"content-type": "application/x-ndjson"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def draft(
        self, tree: Sequence[Mapping[str, Any]] = TREE, rules: Sequence[Mapping[str, Any]] = RULES
    ) -> str:
        """Make a draft with a tree and rules and return its id; its version is 3."""
        plan_id = (await self.post("/v1/plans", {"name": "Plan"}))["plan_id"]
        await self.put(f"/v1/plans/{plan_id}/territories", {"territories": list(tree)}, version=1)
        await self.put(f"/v1/plans/{plan_id}/rules", {"rules": list(rules)}, version=2)
        return plan_id

    async def clone(self, plan_id: str, rules: Sequence[Mapping[str, Any]] | None = None) -> str:
        """Clone a plan, perhaps with other rules, and return the clone's id."""
        clone_id = (await self.post(f"/v1/plans/{plan_id}/clones", {"name": "Clone"}))["plan_id"]
        if rules is not None:
            await self.put(f"/v1/plans/{clone_id}/rules", {"rules": list(rules)}, version=1)
        return clone_id

    async def activate(self, plan_id: str, **body: Any) -> dict[str, Any]:
        """Activate a plan at whatever version it is."""
        etag = (await self.http.get(f"/v1/plans/{plan_id}")).headers["etag"]
        answer = await self.http.post(
            f"/v1/plans/{plan_id}/activations", json=body, headers={"if-match": etag}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def live(self, *accounts: Mapping[str, Any]) -> str:
        """Have accounts and a live plan, and return the plan's id."""
        if accounts:
            await self.import_accounts(*accounts)
        plan_id = await self.draft()
        await self.activate(plan_id)
        return plan_id

    async def post(self, path: str, body: Any = None) -> Any:
        """Post what must succeed."""
        answer = await self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def put(self, path: str, body: Any, *, version: int) -> Any:
        """Put what must succeed."""
        answer = await self.http.put(path, json=body, headers={"if-match": f'"{version}"'})
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str, **parameters: Any) -> Any:
        """Get what must be there."""
        answer = await self.http.get(path, params=parameters)
        assert answer.is_success, answer.text
        return answer.json()

    async def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Look into the database."""
        async with self.engine.begin() as connection:
            return [tuple(row) for row in await connection.execute(text(sql), parameters)]

    async def execute(self, sql: str, **parameters: Any) -> None:
        """Change the database behind the service's back."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), parameters)

    async def events(self, wire_type: str) -> list[dict[str, Any]]:
        """Return what was announced and not yet sent, in order."""
        found = await self.rows("SELECT payload FROM outbox WHERE type = :type ORDER BY seq", type=wire_type)
        return [payload for (payload,) in found]

    async def open_alignments(self) -> list[tuple[Any, ...]]:
        """Return where every account belongs now, and why."""
        return await self.rows(
            "SELECT account_id, territory_id, plan_id, rule_id, cause, reason FROM open_alignments ORDER BY 1"
        )


@asynccontextmanager
async def _organisation(
    databases: Databases, tmp_path: Path, clock: FrozenClock
) -> AsyncIterator[Assignment]:
    database = await databases.for_service("assignment")
    issuer = Issuer()
    settings = Settings(
        environment="development",
        database_url=database.app_url,
        database_pool_size=8,
        auth_jwks=issuer.write_jwks(tmp_path),
    )
    parts = build_parts(settings, service="assignment", clock=clock)
    transport = httpx.ASGITransport(create_app(parts, webhook_key=settings.sealing_key))
    client = httpx.AsyncClient(
        transport=transport, base_url="http://assignment", headers=issuer.headers("admin")
    )
    async with client:
        yield Assignment(parts.engine, client, issuer, clock)
    await parts.engine.dispose()
    await databases.drop(database)


@pytest.fixture
async def assignment(databases: Databases, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Assignment]:
    """The service with nothing in it."""
    async with _organisation(databases, tmp_path, clock) as organisation:
        yield organisation


@pytest.fixture
async def elsewhere(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, clock: FrozenClock
) -> AsyncIterator[Assignment]:
    """The same for another organisation."""
    async with _organisation(databases, tmp_path_factory.mktemp("elsewhere"), clock) as organisation:
        yield organisation
