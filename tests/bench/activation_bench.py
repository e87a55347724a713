"""diff and activate: a plan that moves 20,000 of 100,000 accounts, through HTTP.

The floor of the diff reads what any diff must read and joins it once; the floor of the activation writes the
same rows by the shortest statements: 20,000 periods closed, 20,000 opened, 20,000 outbox rows.
"""

import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from shared.testing.tokens import Issuer
from tests.bench.report import Result, paired, rates
from tests.bench.servers import server
from tests.bench.stage import Stage

ACCOUNTS, TERRITORIES, COUNTIES = 100_000, 60, 600
MOVED_TERRITORIES = 12
"""Each of the first twelve territories hands its counties to its neighbour: a fifth of all accounts move."""

_RAW_READ = """
SELECT account_id, external_id, postal_code, county, state, industry, employees FROM assignment.accounts
"""
_RAW_JOIN = """
SELECT a.territory_id, count(*) FROM assignment.alignments a
JOIN unnest($1::uuid[]) AS p (account_id) USING (account_id)
WHERE upper_inf(a.valid) GROUP BY a.territory_id
"""
_RAW_CLOSE = """
UPDATE assignment.alignments SET valid = tstzrange(lower(valid), $2)
WHERE account_id = ANY ($1::uuid[]) AND upper_inf(valid)
"""
_RAW_OPEN = """
INSERT INTO assignment.alignments (account_id, valid, territory_id, plan_id, rule_id, cause, recorded_at)
SELECT DISTINCT ON (account_id) account_id, tstzrange($2, NULL), territory_id, plan_id, rule_id, cause, $2
FROM assignment.alignments WHERE account_id = ANY ($1::uuid[])
"""
_RAW_OUTBOX = """
INSERT INTO assignment.outbox (aggregatetype, aggregateid, type, payload, source, aggregateversion)
SELECT 'raw', id::text || $2, 'raw', jsonb_build_object('account_id', id, 'at', $2), 'raw', 1
FROM unnest($1::uuid[]) AS u (id)
"""


@dataclass(slots=True)
class Scene:
    """An api with 100,000 accounts under a live plan, and a raw connection to the same database."""

    http: httpx.AsyncClient
    raw: asyncpg.Connection | None = None
    plan_id: str = ""
    drafts: int = 0
    shift: int = 0

    async def found(self) -> None:
        """Import the accounts and put the first plan in force."""
        plan = await self.post("/v1/plans", {"name": "first"})
        self.plan_id = plan["plan_id"]
        tree = {"territories": [_territory(number) for number in range(TERRITORIES)]}
        await self.put(f"/v1/plans/{self.plan_id}/territories", tree)
        await self.put_rules(self.plan_id, shift=0)
        headers = {"content-type": "application/x-ndjson"}
        done = await self.http.post("/v1/accounts/imports", content="\n".join(_accounts()), headers=headers)
        done.raise_for_status()
        await self.activate(self.plan_id)

    async def draft(self) -> str:
        """Clone the live plan; hand territories to their neighbours, or take them back."""
        self.drafts += 1
        draft = await self.post(f"/v1/plans/{self.plan_id}/clones", {"name": f"draft {self.drafts}"})
        await self.put_rules(draft["plan_id"], shift=1 - self.shift)
        return str(draft["plan_id"])

    async def put_rules(self, plan_id: str, *, shift: int) -> None:
        """Replace the rules; `shift` moves the first territories' counties one territory on."""
        await self.put(f"/v1/plans/{plan_id}/rules", {"rules": [_rule(n, shift) for n in range(TERRITORIES)]})

    async def activate(self, plan_id: str) -> int:
        """Put a plan in force; return how many accounts moved."""
        done = await self.post(f"/v1/plans/{plan_id}/activations", {}, await self.etag(plan_id))
        self.plan_id = plan_id
        return int(done["moved"])

    async def etag(self, plan_id: str) -> str:
        """Return the plan's entity tag."""
        return (await self.http.get(f"/v1/plans/{plan_id}")).raise_for_status().headers["etag"]

    async def post(self, path: str, body: Any, etag: str | None = None) -> Any:
        """Post, and return the answer."""
        headers = {} if etag is None else {"if-match": etag}
        answer = await self.http.post(path, json=body, headers=headers)
        return answer.raise_for_status().json()

    async def put(self, path: str, body: Any) -> None:
        """Replace a draft's part at its present version."""
        etag = await self.etag(path.split("/")[3])
        (await self.http.put(path, json=body, headers={"if-match": etag})).raise_for_status()


def _id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def _territory(number: int) -> dict[str, Any]:
    return {"territory_id": _id(number), "name": f"Territory {number}", "kind": "geographic"}


def _rule(number: int, shift: int) -> dict[str, Any]:
    target = number + TERRITORIES // 2 if shift and number < MOVED_TERRITORIES else number
    counties = [f"{county:05d}" for county in range(number, COUNTIES, TERRITORIES)]
    condition = {"field": "county", "op": "in", "value": counties}
    return {
        "rule_id": _id(1000 + number),
        "name": f"Rule {number}",
        "territory_id": _id(target),
        "position": number,
        "condition": condition,
    }


def _accounts() -> Iterator[str]:
    for number in range(ACCOUNTS):
        county = f"{number % COUNTIES:05d}"
        yield json.dumps({"external_id": f"A-{number}", "name": f"Account {number}", "county": county})


@asynccontextmanager
async def founded(stage: Stage) -> AsyncIterator[Scene]:
    """Yield a scene whose first plan is live."""
    database = await stage.databases.for_service("assignment")
    raw = await asyncpg.connect(database.admin_url)
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        jwks = issuer.write_jwks(Path(folder))
        async with (
            server("services.assignment", "api", database=database, probe="/health/ready", jwks=jwks) as port,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=issuer.headers("admin"), timeout=120
            ) as client,
        ):
            scene = Scene(client, raw)
            await scene.found()
            await raw.execute("VACUUM ANALYZE")
            yield scene
    await raw.close()


async def run_diff(stage: Stage) -> list[Result]:
    """Measure the diff of a draft."""
    async with founded(stage) as scene:
        return [await _diff(scene)]


async def run_activate(stage: Stage) -> list[Result]:
    """Measure the activation of a draft."""
    async with founded(stage) as scene:
        return [await _activate(scene)]


async def _diff(scene: Scene) -> Result:
    draft = await scene.draft()

    async def ours() -> float:
        started = time.perf_counter()
        (await scene.http.get(f"/v1/plans/{draft}/diff")).raise_for_status()
        return time.perf_counter() - started

    async def floor() -> float:
        started = time.perf_counter()
        accounts = await scene.raw.fetch(_RAW_READ)
        await scene.raw.fetch(_RAW_JOIN, [row[0] for row in accounts])
        return time.perf_counter() - started

    values, floors = await paired(ours, floor)
    note = "100,000 accounts, 20,000 would move; floor: read the accounts, join them once; lower is better"
    return rates("diff", "20k-of-100k", unit="s", values=values, floors=floors, note=note)


async def _activate(scene: Scene) -> Result:
    async def ours() -> float:
        draft = await scene.draft()
        etag = await scene.etag(draft)
        started = time.perf_counter()
        done = await scene.post(f"/v1/plans/{draft}/activations", {}, etag)
        seconds = time.perf_counter() - started
        scene.plan_id, scene.shift = draft, 1 - scene.shift
        if not 20_000 <= done["moved"] < 20_100:
            raise RuntimeError(f"{done['moved']} accounts moved")
        return seconds

    async def floor() -> float:
        moved = [
            row[0] for row in await scene.raw.fetch("SELECT account_id FROM assignment.accounts LIMIT 20000")
        ]
        now = await scene.raw.fetchval("SELECT clock_timestamp()")
        transaction = scene.raw.transaction()
        started = time.perf_counter()
        await transaction.start()
        await scene.raw.execute(_RAW_CLOSE, moved, now)
        await scene.raw.execute(_RAW_OPEN, moved, now)
        await scene.raw.execute(_RAW_OUTBOX, moved, str(now))
        seconds = time.perf_counter() - started
        # What the floor wrote must not change the next sample.
        await transaction.rollback()
        return seconds

    values, floors = await paired(ours, floor)
    note = "20,000 of 100,000 accounts move; floor: the same rows by raw statements, no matching; lower is better"
    return rates("activate", "20k-of-100k", unit="s", values=values, floors=floors, note=note)


async def found_plan(http: httpx.AsyncClient) -> None:
    """Import 100,000 accounts through an api and put a first plan in force."""
    await Scene(http).found()
