"""Every service against its own OpenAPI document: whatever is sent, the answer is one that it announces.

All phases of Schemathesis over a real socket and a real database: examples, coverage of the schema's
corners, fuzzing, and chains of operations. The seed is fixed, so that a failure is there again next time.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import uvicorn

from shared.testing.databases import ServiceDatabase
from shared.testing.tokens import Issuer
from shared.testing.waiting import PATIENCE_SECONDS, eventually
from tests.contract.snapshots import SERVICES, build_app
from tests.service.schemathesis_hooks import WEBHOOK_SECRET

SEED = "20261123"
MAX_EXAMPLES = os.environ.get("SCHEMATHESIS_MAX_EXAMPLES", "15")
ROOT = Path(__file__).parents[2]
ENV = {
    **os.environ,
    "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("schemathesis_hooks.py")),
    "PYTHONPATH": str(ROOT),
}
CONFIG = """
# What fits the schema may still break a rule of the business, and ids are made up.
[checks.positive_data_acceptance]
enabled = false

# An If-Match that no ETag looks like is answered with 412: no version has that tag. A path that is no longer that
# of the operation is 404, or 405 where another operation has it. 409: what is wrong in the body was not looked at,
# because the database is empty and what the path names cannot be changed.
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428]

# Rows and facts are judged one by one: a bad one is reported in an answer that is good for the others. What is
# wrong with the whole is refused: tests/service of each.
[[operations]]
include-operation-id-regex = "^create-(facts|account-import|rep-import|crm-import|satisfaction-scores|webhook-delivery)$"
[operations.checks.negative_data_rejection]
enabled = false

# GET /v1/accounts/imports is an account whose id is no UUID: 422, not 405.
[[operations]]
include-operation-id-regex = "^create-(account-import|rep-import)$"
[operations.checks.unsupported_method]
enabled = false

# A stream of events lasts for minutes; tests/service/collab/test_inbox_stream.py reads it.
[[operations]]
include-operation-id = "list-inbox-events"
enabled = false

# A deleted note leaves its place: who, when, and no text.
[[operations]]
include-operation-id-regex = "^(get-note|delete-note|list-revisions)$"
[operations.checks.use_after_free]
enabled = false
"""


class Server(threading.Thread):
    """An api on a free port, with a loop of its own."""

    def __init__(self, service: str, **settings: str) -> None:
        super().__init__(name=f"{service}.api", daemon=True)
        app = build_app(service, **settings)
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))

    def run(self) -> None:
        asyncio.run(self._server.serve())

    @property
    def url(self) -> str:
        if not self._server.started:
            return ""
        host, port = self._server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self.join(20)


@pytest.fixture
async def server(
    request: pytest.FixtureRequest,
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    tmp_path: Path,
) -> AsyncIterator[tuple[str, Issuer]]:
    database, issuer = await service_database(request.param), Issuer()
    started = Server(request.param, database_url=database.app_url, auth_jwks=issuer.write_jwks(tmp_path))
    started.start()
    yield await eventually(lambda: started.url), issuer
    await asyncio.to_thread(started.stop)


async def _register_webhooks(url: str, issuer: Issuer) -> bool:
    """Have the hooks' signature accepted; return whether the service has webhooks."""
    async with httpx.AsyncClient(
        base_url=url, headers=issuer.headers("admin"), timeout=PATIENCE_SECONDS
    ) as http:
        if "/v1/webhook-sources/{source}" not in (await http.get("/openapi.json")).json()["paths"]:
            return False
        for source in ("salesforce", "hubspot"):
            answer = await http.put(f"/v1/webhook-sources/{source}", json={"secret": WEBHOOK_SECRET})
            answer.raise_for_status()
    return True


async def _taken(url: str, issuer: Issuer) -> int:
    """Return how many deliveries were genuine and good, up to a page of them."""
    async with httpx.AsyncClient(
        base_url=url, headers=issuer.headers("admin"), timeout=PATIENCE_SECONDS
    ) as http:
        answer = await http.get("/v1/audit-entries", params={"operation": "create-webhook-delivery"})
        return len(answer.json()["items"])


@pytest.mark.timeout(400)
@pytest.mark.parametrize("server", SERVICES, indirect=True)
async def test_every_answer_is_one_that_the_document_announces(server: tuple[str, Issuer], tmp_path: Path):
    url, issuer = server
    delivers = await _register_webhooks(url, issuer)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {issuer.token('admin')}"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", MAX_EXAMPLES, "--seed", SEED, "--generation-database", "none"),
        *("--no-shrink", "--suppress-health-check", "all", "--warnings", "off", "--no-color"),
        *("--request-timeout", "20"),
    ]
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    # Behind a signature nothing is tried unless it is right.
    assert not delivers or await _taken(url, issuer)
