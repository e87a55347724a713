"""api/read and api/write: a real api process against a bare FastAPI route with one query on the same server."""

import tempfile
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from shared.testing.tokens import Issuer
from tests.bench.load import Call, requests_per_second
from tests.bench.report import Result, paired, rates
from tests.bench.servers import server
from tests.bench.stage import Stage

NOTE = {
    "subject": {"type": "plan", "id": str(uuid4())},
    "body": "Renewal is due in March; they want one contact.",
}


async def run(stage: Stage) -> list[Result]:
    """Measure a read by id and an idempotency-free write, at 16 connections."""
    database = await stage.databases.for_service("collab")
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("CREATE TABLE collab.bench_rows (id uuid PRIMARY KEY DEFAULT uuidv7(), body text)")
    await admin.execute("GRANT ALL ON collab.bench_rows TO collab_app")
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        jwks = issuer.write_jwks(Path(folder))
        bearer = issuer.headers("contributor")
        async with (
            server("services.collab", "api", database=database, probe="/health/ready", jwks=jwks) as ours,
            server("tests.bench.bare_app", database=database, probe="/openapi.json", jwks=jwks) as bare,
        ):
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ours}", headers=bearer) as client:
                note_id = (await client.post("/v1/notes", json=NOTE)).raise_for_status().json()["note_id"]
            return [
                await _compare(
                    "read", ours, Call("GET", f"/v1/notes/{note_id}", bearer), bare, Call("GET", "/row", {})
                ),
                await _compare(
                    "write",
                    ours,
                    Call("POST", "/v1/notes", bearer, NOTE, 201),
                    bare,
                    Call("POST", "/row", {}, NOTE),
                ),
            ]


async def _compare(case: str, ours: int, call: Call, bare: int, bare_call: Call) -> Result:
    values, floors = await paired(
        lambda: requests_per_second(ours, call), lambda: requests_per_second(bare, bare_call)
    )
    note = "16 connections; floor: bare FastAPI route with one query, no token, scope, snapshot or events"
    return rates("api", case, unit="requests/s", values=values, floors=floors, note=note)
