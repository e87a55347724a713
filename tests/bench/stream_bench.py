"""stream: from a note on an account to the open inboxes of the fifty who cover it, among 100,000 accounts.

Through HTTP and server-sent events.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from shared.contracts.assignment import CoverageStarted
from shared.db.transact import Transactor
from shared.runtime.clock import SystemClock
from shared.testing.databases import ServiceDatabase
from shared.testing.tokens import Issuer
from tests.bench.handoffs_bench import NORTH, aligned, feed, go_live
from tests.bench.report import Result, paired, rates
from tests.bench.servers import server
from tests.bench.stage import Stage

ACCOUNTS = 100_000
READERS = [UUID(int=number) for number in range(1, 51)]


async def run(stage: Stage) -> list[Result]:
    """Measure seconds until the last of fifty readers has it."""
    database = await stage.databases.for_service("collab")
    account = await _settle(database)
    note = {
        "subject": {"type": "account", "id": str(account)},
        "body": "Numbers are due on Friday.",
        "mentions": [{"type": "rep", "id": str(reader)} for reader in READERS],
    }
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        jwks = issuer.write_jwks(Path(folder))
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(
                server("services.collab", "api", database=database, probe="/health/ready", jwks=jwks)
            )
            http = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    headers=issuer.headers("admin"),
                    limits=httpx.Limits(max_connections=None),
                    timeout=60,
                )
            )
            heard = await stack.enter_async_context(_reading(http, issuer))
            rung = await stack.enter_async_context(_listening(database))
            writer = await asyncpg.connect(database.admin_url)
            stack.push_async_callback(writer.close)

            async def ours() -> float:
                started = time.perf_counter()
                (await http.post("/v1/notes", json=note)).raise_for_status()
                for _ in READERS:
                    await asyncio.wait_for(heard.get(), 30)
                return time.perf_counter() - started

            async def floor() -> float:
                started = time.perf_counter()
                await writer.execute("SELECT pg_notify('bench', $1)", "one")
                for _ in READERS:
                    await asyncio.wait_for(rung.get(), 30)
                return time.perf_counter() - started

            values, floors = await paired(ours, floor)
    told = "50 open streams, 100,000 accounts; floor: one NOTIFY heard by 50 raw connections, nothing stored or read; lower is better"
    return [rates("stream", "note-to-50-inboxes", unit="s", values=values, floors=floors, note=told)]


async def _settle(database: ServiceDatabase) -> UUID:
    """Have a tree in force, accounts in it, and all readers on the north; return one of its accounts."""
    engine = database.build_engine()
    transact = Transactor(engine, SystemClock(), "/bench/collab")
    await go_live(transact)
    accounts = [uuid4() for _ in range(ACCOUNTS)]
    await feed(transact, [aligned(account, None, NORTH) for account in accounts], version=1)
    covers = [
        CoverageStarted(
            coverage_id=uuid4(),
            territory_id=NORTH,
            rep_id=reader,
            role="overlay",
            share_percent=Decimal(2),
            valid_from=datetime(2026, 11, 2, tzinfo=UTC),
        )
        for reader in READERS
    ]
    await feed(transact, covers, version=1)
    await engine.dispose()
    return accounts[0]


@asynccontextmanager
async def _reading(http: httpx.AsyncClient, issuer: Issuer) -> AsyncIterator["asyncio.Queue[str]"]:
    """Follow every reader's inbox; each item that comes is put into the queue."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    open_streams = asyncio.Semaphore(0)

    async def read(reader: UUID) -> None:
        headers = issuer.headers("viewer", subject=str(reader), territories=[NORTH])
        async with http.stream("GET", "/v1/inbox/stream", headers=headers, timeout=None) as answer:
            async for line in answer.aiter_lines():
                if line == "event: item":
                    heard.put_nowait(str(reader))
                elif line == "event: counts":
                    open_streams.release()

    tasks = [asyncio.create_task(read(reader)) for reader in READERS]
    for _ in READERS:
        await asyncio.wait_for(open_streams.acquire(), 30)
    try:
        yield heard
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def _listening(database: ServiceDatabase) -> AsyncIterator["asyncio.Queue[str]"]:
    """Listen on as many raw connections; each ring is put into the queue."""
    rung: asyncio.Queue[str] = asyncio.Queue()
    connections = [await asyncpg.connect(database.admin_url) for _ in READERS]

    def ring(*told: Any) -> None:
        rung.put_nowait(told[-1])

    for connection in connections:
        await connection.add_listener("bench", ring)
    try:
        yield rung
    finally:
        for connection in connections:
            await connection.close()
