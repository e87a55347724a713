"""An api process of a service beside a bare app on the same database, both ready to be loaded."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.testing.databases import ServiceDatabase
from shared.testing.tokens import Issuer
from tests.bench.load import Call, requests_per_second
from tests.bench.report import Result, paired, rates
from tests.bench.servers import server

BARE = "16 connections; floor: bare FastAPI route with one query, no token, scope, snapshot or events"


@dataclass(frozen=True, slots=True)
class Beside:
    """The two ports, who may call the api, and a client for preparing what is measured."""

    ours: int
    bare: int
    issuer: Issuer
    jwks: str
    http: httpx.AsyncClient

    async def compare(self, bench: str, case: str, call: Call, *, floor: Call, note: str = BARE) -> Result:
        """Measure requests per second of a call, and of the floor's."""
        values, floors = await paired(
            lambda: requests_per_second(self.ours, call), lambda: requests_per_second(self.bare, floor)
        )
        return rates(bench, case, unit="requests/s", values=values, floors=floors, note=note)


@asynccontextmanager
async def beside(database: ServiceDatabase, sql: str) -> AsyncIterator[Beside]:
    """Run both; the bare app reads by this query."""
    issuer = Issuer()
    service = database.service
    with tempfile.TemporaryDirectory() as folder:
        jwks = issuer.write_jwks(Path(folder))
        async with (
            server(f"services.{service}", "api", database=database, probe="/health/ready", jwks=jwks) as ours,
            server(
                "tests.bench.bare_app", service, sql, database=database, probe="/openapi.json", jwks=jwks
            ) as bare,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{ours}", headers=issuer.headers("admin"), timeout=60
            ) as http,
        ):
            yield Beside(ours, bare, issuer, jwks, http)
