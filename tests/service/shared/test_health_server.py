"""The port of processes that serve no API."""

import httpx
import pytest

from shared.runtime.health_server import HealthServer
from shared.testing.waiting import PATIENCE_SECONDS


@pytest.fixture
async def checks():
    return {"live": {}, "ready": {}}


@pytest.fixture
async def client(checks):
    async with (
        HealthServer(host="127.0.0.1", port=0, live=checks["live"], ready=checks["ready"]) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_SECONDS) as made,
    ):
        yield made


async def test_a_healthy_process_says_so(client):
    for path in ("/health/live", "/health/ready"):
        response = await client.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": {}})


async def test_what_fails_is_named(client, checks):
    async def broken():
        return "no progress on toy[0]"

    async def raising():
        raise OSError("secret detail")

    checks["ready"].update(toy=broken, database=raising)
    response = await client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"toy": "no progress on toy[0]", "database": "OSError"}
    assert (await client.get("/health/live")).status_code == 200


async def test_metrics_are_prometheus_text(client):
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert "python_info" in response.text


async def test_anything_else_is_refused(client):
    assert (await client.get("/admin")).status_code == 404
    assert (await client.post("/metrics")).status_code == 405
