"""Relay and consumer as the processes they are: health, signals, and leaving while Kafka is away."""

import asyncio
import json
import os
import signal
import sys

import asyncpg
import httpx
import pytest

from deploy.local.paths import REPOSITORY
from shared.testing.waiting import eventually


@pytest.fixture
async def start(service_database, kafka):
    """Start `python -m services.metrics <role>` and return it with the address of its health port."""
    database = await service_database("metrics")
    started = []

    async def run(role, **environment):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.metrics", role),
            cwd=REPOSITORY,
            env={
                "PATH": os.environ["PATH"],
                "METRICS_ENVIRONMENT": "development",
                "METRICS_DATABASE_URL": database.app_url,
                "METRICS_KAFKA_BOOTSTRAP_SERVERS": kafka.access.bootstrap_servers,
                "METRICS_KAFKA_TOPIC_PREFIX": kafka.access.topic_prefix,
                **environment,
            },
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        line = b""
        async for line in process.stderr:
            told = json.loads(line) if line.startswith(b"{") else {}
            if told.get("event") == "health port open":
                return process, f"http://127.0.0.1:{told['port']}"
        raise AssertionError(f"{role} ended with {await process.wait()}: {line.decode()}")

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()


@pytest.mark.parametrize("role", ["relay", "consumer"])
async def test_a_process_tells_its_health_and_leaves_when_told(start, role):
    process, address = await start(role)
    async with httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert "bailiwick_" in (await client.get("/metrics")).text
        expected = 200 if role == "relay" else 503  # the consumer's topics are missing
        await eventually(lambda: _answers(client, "/health/ready", expected))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


@pytest.mark.parametrize("role", ["relay", "consumer"])
async def test_a_process_leaves_although_kafka_is_away(start, role, unused_tcp_port):
    process, address = await start(role, METRICS_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")
    async with httpx.AsyncClient(base_url=address) as client:
        await eventually(lambda: _answers(client, "/health/live", 200))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_a_process_refuses_a_schema_of_another_release(start, service_database):
    other = await service_database("metrics")
    admin = await asyncpg.connect(other.admin_url)
    await admin.execute("UPDATE metrics.alembic_version SET version_num = 'another'")
    await admin.close()
    with pytest.raises(AssertionError, match=r"relay ended with 1: .*run `migrate`"):
        await start("relay", METRICS_DATABASE_URL=other.app_url)


async def _answers(client, path, status):
    return (await client.get(path)).status_code == status
