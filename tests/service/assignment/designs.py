"""An organisation to design territories for: accounts on a map, four territories that are not balanced, a draft."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from services.assignment.design.jobs import work_off
from services.assignment.design.own_process import Engines
from services.assignment.design.worker import Runs
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import Assignment, county_rule

ROOT, KEY = UUID(int=0x200), UUID(int=0x2FF)
LEAVES = {
    "01001": UUID(int=0x211),
    "01003": UUID(int=0x212),
    "01005": UUID(int=0x213),
    "01007": UUID(int=0x214),
}
TREE = [
    {"territory_id": str(ROOT), "name": "Root", "kind": "geographic"},
    *(
        {"territory_id": str(leaf), "name": f"Leaf {county}", "kind": "geographic", "parent_id": str(ROOT)}
        for county, leaf in LEAVES.items()
    ),
    {"territory_id": str(KEY), "name": "Key accounts", "kind": "named_account", "parent_id": str(ROOT)},
]
RULES = [
    *(county_rule(leaf, county) for county, leaf in LEAVES.items()),
    county_rule(KEY, "09001"),
]
EVEN = {"mode": "realign", "measures": [{"measure": "accounts", "tolerance": 0.05}]}
# An engine that nobody has loaded on this machine compiles for a minute.
PATIENCE = 240.0


def accounts(count: int = 400) -> list[dict[str, Any]]:
    """Return accounts on a square of two degrees, in counties of unequal size."""
    dice = Random(5)
    found = []
    for number in range(count):
        east, north = dice.random(), dice.random()
        found.append(
            {
                "external_id": f"d{number}",
                "latitude": 40 + 2 * north,
                "longitude": -90 + 2 * east,
                "postal_code": f"{10000 + int(east * 4) * 4 + int(north * 4)}",
                "county": list(LEAVES)[2 * (north > 0.7) + (east > 0.6)],
                "employees": dice.randint(1, 50),
            }
        )
    return found


@dataclass(frozen=True)
class Designs:
    """A draft of the organisation, and the worker's engines."""

    assignment: Assignment
    engines: Engines
    plan_id: str

    @property
    def transact(self) -> Transactor:
        """What the worker's commands run through."""
        return Transactor(self.assignment.engine, self.assignment.clock, "/demo/assignment")

    @property
    def runs(self) -> str:
        """The path of the draft's runs."""
        return f"/v1/plans/{self.plan_id}/design-runs"

    async def ask(self, **asked: Any) -> dict[str, Any]:
        """Ask for a run that must be taken on."""
        answer = await self.assignment.http.post(self.runs, json={**EVEN, **asked})
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/v1/design-runs/{answer.json()['run_id']}"
        return answer.json()

    async def find(self, run_id: str) -> dict[str, Any]:
        """Return a run as it stands."""
        return await self.assignment.get(f"/v1/design-runs/{run_id}")

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[asyncio.Event]:
        """Have a worker at its queue; the event that tells it to stop is set in the end."""
        stopping = asyncio.Event()
        runs = Runs(self.transact, stopping, self.engines)
        working = asyncio.create_task(work_off(self.assignment.engine, stopping, runs.work))
        try:
            yield stopping
        finally:
            stopping.set()
            await working

    async def ended(self, run_id: str) -> dict[str, Any]:
        """Wait until a run has ended, and return it."""

        async def look() -> dict[str, Any] | None:
            run = await self.find(run_id)
            return run if run["ended_at"] is not None else None

        return await eventually(look, timeout=PATIENCE, every=0.1)

    async def design(self, **asked: Any) -> dict[str, Any]:
        """Ask for a run, have it done, and return its proposal."""
        run = await self.ask(**asked)
        async with self.worker():
            ended = await self.ended(run["run_id"])
        assert ended["state"] in {"finished", "infeasible"}, ended
        return await self.assignment.get(f"/v1/design-runs/{run['run_id']}/proposal")

    async def places(self, run_id: str, **asked: Any) -> dict[str, dict[str, Any]]:
        """Return where accounts would go, page by page."""
        return {
            one["account_id"]: one
            for one in await self.pages(f"/v1/design-runs/{run_id}/proposal/accounts", **asked)
        }

    async def pages(self, path: str, **asked: Any) -> list[dict[str, Any]]:
        """Return all rows of a list."""
        rows: list[dict[str, Any]] = []
        cursor: Mapping[str, str] = {}
        while True:
            page = await self.assignment.get(path, limit=150, **asked, **cursor)
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            cursor = {"cursor": page["next_cursor"]}


async def organisation(assignment: Assignment, *more: Mapping[str, Any], count: int = 400) -> str:
    """Have a live plan with accounts; return the id of a draft that is its clone."""
    await assignment.import_accounts(*accounts(count), *more)
    live = await assignment.draft(TREE, RULES)
    await assignment.activate(live)
    return await assignment.clone(live)


def account_id(external_id: str) -> str:
    """Return the id of an account as answers tell it."""
    return str(account_id_of(external_id))
