"""api/write-outbox: what the outbox adds to a write, in milliseconds, one request after the other.

The same command through two api processes on one database; the second drops what is announced instead of
writing it. Beside it the least that any outbox costs: one more insert in a raw transaction on one connection.
"""

import statistics
import time
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from shared.testing.databases import ServiceDatabase
from tests.bench.beside import Beside
from tests.bench.load import Call, requests_per_second
from tests.bench.report import SAMPLES, Result, rates
from tests.bench.servers import server

SECONDS, RAW_WRITES = 3.0, 500
_ROW = "INSERT INTO bench_rows (body) VALUES ($1)"
_EVENT = """
INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, aggregateversion)
VALUES ('collab.note.events.v1', $1, 'raw', $2::text::jsonb, 'raw', 1)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds per write, each way."""

    whole: float
    without: float
    raw: float
    raw_without: float


async def measure(database: ServiceDatabase, both: Beside, write: Call) -> Result:
    """Measure a write with its outbox rows and without, in turn."""
    async with server(
        "tests.bench.without_outbox",
        database.service,
        database=database,
        probe="/health/ready",
        jwks=both.jwks,
    ) as silent:
        raw = await asyncpg.connect(database.app_url, server_settings={"search_path": database.service})
        rounds = [
            Round(
                whole=await _milliseconds(both.ours, write),
                without=await _milliseconds(silent, write),
                raw=await _raw_milliseconds(raw, announcing=True),
                raw_without=await _raw_milliseconds(raw, announcing=False),
            )
            for _ in range(SAMPLES + 1)
        ]
        await raw.close()
    # The first round only warms up.
    return _result(rounds[1:])


def _result(rounds: list[Round]) -> Result:
    raw = statistics.median(each.raw - each.raw_without for each in rounds)
    return rates(
        "api",
        "write-outbox",
        unit="ms added",
        values=[each.whole - each.without for each in rounds],
        floors=[each.without for each in rounds],
        note=f"one connection; floor: the same write, its outbox rows dropped; a raw insert more adds {raw:.2f} ms",
    )


async def _milliseconds(port: int, call: Call) -> float:
    return 1000 / await requests_per_second(port, call, seconds=SECONDS, connections=1)


async def _raw_milliseconds(raw: asyncpg.Connection, *, announcing: bool) -> float:
    started = time.perf_counter()
    for _ in range(RAW_WRITES):
        async with raw.transaction():
            await raw.execute(_ROW, "Renewal is due in March; they want one contact.")
            if announcing:
                await raw.execute(_EVENT, str(uuid4()), '{"note_id": 1, "body": "Renewal is due in March."}')
    return 1000 * (time.perf_counter() - started) / RAW_WRITES
