"""The floor of benches over HTTP: the same server, framework and driver, one route with one query, nothing else.

python -m tests.bench.bare_app SERVICE SQL
"""

import os
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from shared.db.engine import build_engine

_WRITE = text("INSERT INTO bench_rows (body) VALUES (:body)")


def build(url: str, schema: str, sql: str) -> FastAPI:
    """Build the bare app; its one read runs this query."""
    app = FastAPI()
    engine = build_engine(url, schema=schema, application_name="bench.bare")
    query = text(sql)

    @app.get("/rows")
    async def read() -> Any:
        async with engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [dict(row) for row in rows]

    @app.post("/rows")
    async def write(body: dict[str, Any]) -> Any:
        async with engine.begin() as connection:
            await connection.execute(_WRITE, {"body": str(body)})
        return body

    return app


if __name__ == "__main__":
    service, sql = sys.argv[1:]
    prefix = service.upper()
    uvicorn.run(
        build(os.environ[f"{prefix}_DATABASE_URL"], service, sql),
        port=int(os.environ[f"{prefix}_HTTP_PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
    )
