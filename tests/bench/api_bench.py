"""api: reads and writes of a real api process against a bare FastAPI route with one query on the same server."""

from uuid import uuid4

import asyncpg

from tests.bench import outbox_bench
from tests.bench.beside import beside
from tests.bench.load import Call
from tests.bench.report import Result
from tests.bench.stage import Stage

NOTE = {
    "subject": {"type": "plan", "id": str(uuid4())},
    "body": "Renewal is due in March; they want one contact.",
}
_ROW = "SELECT note_id, subject_type, subject_id, author, version, written_at FROM notes LIMIT 1"


async def run(stage: Stage) -> list[Result]:
    """Measure a read by id and an idempotency-free write, at 16 connections."""
    database = await stage.databases.for_service("collab")
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("CREATE TABLE collab.bench_rows (id uuid PRIMARY KEY DEFAULT uuidv7(), body text)")
    await admin.execute("GRANT ALL ON collab.bench_rows TO collab_app")
    await admin.close()
    async with beside(database, _ROW) as both:
        bearer = both.issuer.headers("contributor")
        note = (await both.http.post("/v1/notes", json=NOTE, headers=bearer)).raise_for_status().json()
        read = Call("GET", f"/v1/notes/{note['note_id']}", bearer)
        write = Call("POST", "/v1/notes", bearer, NOTE, 201)
        return [
            await both.compare("api", "read", read, floor=Call("GET", "/rows", {})),
            await both.compare("api", "write", write, floor=Call("POST", "/rows", {}, NOTE)),
            await outbox_bench.measure(database, both, write),
        ]
