"""The floor of the api bench: the same server, framework and driver, one route with one query, nothing else."""

import os
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from shared.db.engine import build_engine

_ROW = text("SELECT note_id, subject_type, subject_id, author, version, written_at FROM notes LIMIT 1")
_WRITE = text("INSERT INTO bench_rows (body) VALUES (:body)")


def build(url: str) -> FastAPI:
    """Build the bare app."""
    app = FastAPI()
    engine = build_engine(url, schema="collab", application_name="bench.bare")

    @app.get("/row")
    async def read() -> Any:
        async with engine.connect() as connection:
            row = (await connection.execute(_ROW)).one()
        return dict(row._mapping)

    @app.post("/row")
    async def write(body: dict[str, Any]) -> Any:
        async with engine.begin() as connection:
            await connection.execute(_WRITE, {"body": str(body)})
        return body

    return app


if __name__ == "__main__":
    uvicorn.run(
        build(os.environ["COLLAB_DATABASE_URL"]),
        port=int(os.environ["COLLAB_HTTP_PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
    )
