"""The examples that we hand to subscribers, run against a whole installation: both end up knowing what the api says."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.demo.client import wait_until
from deploy.local.paths import REPOSITORY
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(400)

EXAMPLES = REPOSITORY / "examples/subscribers"


@pytest.fixture(scope="module")
def settled(seeded: ServiceProcesses) -> dict[str, str | None]:
    """Wait until everything announced has left the outbox; return where each account belongs, by the api."""
    url = seeded.database_url()
    wait_until(lambda: waiting_in_outbox(url), what="the relay", seconds=30)
    accounts = seeded.api("assignment", role="admin").pages("/v1/accounts")
    return {each["account_id"]: (each["alignment"] or {}).get("territory_id") for each in accounts}


def waiting_in_outbox(url: str) -> str | None:
    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM assignment.outbox"))
        finally:
            await connection.close()

    rows = asyncio.run(count())
    return f"{rows} rows" if rows else None


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def reach(processes: ServiceProcesses) -> list[str]:
    return [
        "--bootstrap-servers",
        processes.bootstrap_servers,
        "--prefix",
        processes.topic_prefix,
        "--until-end",
    ]


def test_the_python_example_catches_up_from_states_and_follows(
    seeded: ServiceProcesses, settled: dict[str, str | None], tmp_path: Path
):
    file = tmp_path / "accounts.sqlite"
    command = [sys.executable, "subscribe.py", *reach(seeded), "--file", str(file)]
    told = run(command, EXAMPLES / "python")
    assert told == "", "events that a state includes were applied again"
    with sqlite3.connect(file) as kept:
        assert dict(kept.execute("SELECT account_id, territory_id FROM accounts")) == settled
    assert run(command, EXAMPLES / "python") == ""


def test_the_typescript_example_tells_every_move(seeded: ServiceProcesses, settled: dict[str, str | None]):
    folder = EXAMPLES / "typescript"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT RUN: the TypeScript example needs node and npm, and they are not on this machine")
    if not (folder / "node_modules/.bin/tsc").exists():
        run(["npm", "ci", "--no-progress", "--loglevel=error"], folder)
    run(["npm", "run", "--silent", "build"], folder)
    command = ["node", "dist/subscribe.js", *reach(seeded), "--group", "flow"]
    told = run(command, folder)
    last = {line["account_id"]: line["territory_id"] for line in map(json.loads, told.splitlines())}
    placed = {account: territory for account, territory in settled.items() if territory is not None}
    assert {account: territory for account, territory in last.items() if territory is not None} == placed
    assert len(told.splitlines()) >= len(placed) > 0
    assert run(command, folder) == "", "the group has read to the end, and was told of it again"
