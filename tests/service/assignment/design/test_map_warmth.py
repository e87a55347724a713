"""The api has maps compiled in the background when it starts: nobody's first map waits, and nobody waits for it to leave."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.testing.tokens import Issuer
from tests.conftest import NewDatabase
from tests.service.assignment.designs import PATIENCE

pytestmark = pytest.mark.timeout(PATIENCE + 60)


@pytest.fixture
async def api(
    service_database: NewDatabase, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service's own api process."""
    database = await service_database("assignment")
    environment = {
        **os.environ,
        "ASSIGNMENT_ENVIRONMENT": "development",
        "ASSIGNMENT_DATABASE_URL": database.app_url,
        "ASSIGNMENT_HTTP_PORT": str(unused_tcp_port),
        "ASSIGNMENT_AUTH_JWKS": Issuer().write_jwks(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.assignment", "api", env=environment, stderr=asyncio.subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def _until_logged(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    assert process.stderr is not None
    async for line in process.stderr:
        told = json.loads(line) if line.startswith(b"{") else {}
        if told.get("event") == event:
            return dict(told)
    raise AssertionError(f"it ended without {event}")


async def test_maps_are_made_ready_when_the_api_starts(api: asyncio.subprocess.Process):
    assert (await _until_logged(api, "maps ready"))["seconds"] > 0
    api.send_signal(signal.SIGTERM)
    await _until_logged(api, "stopped")
    assert await api.wait() == 0


async def test_an_api_that_is_told_to_leave_meanwhile_does(api: asyncio.subprocess.Process):
    await _until_logged(api, "serving")
    api.send_signal(signal.SIGTERM)
    await _until_logged(api, "stopped")
    assert await api.wait() == 0
