"""Every role as the process it is: health, signals, and leaving while Kafka is away."""

import asyncio
import json
import os
import signal
import sys

import asyncpg
import httpx
import pytest

from deploy.local.paths import REPOSITORY
from shared.testing.tokens import Issuer
from shared.testing.waiting import PATIENCE_SECONDS, eventually


@pytest.fixture
async def database(service_database):
    return await service_database("metrics")


@pytest.fixture
async def start(database, kafka):
    """Start `python -m services.metrics <role>` and return it with the address where it tells its health."""
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
            if told.get("event") in {"health port open", "serving"}:
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
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert "bailiwick_" in (await client.get("/metrics")).text
        expected = 200 if role == "relay" else 503  # the consumer's topics are missing
        await eventually(lambda: _answers(client, "/health/ready", expected))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


@pytest.mark.parametrize("role", ["relay", "consumer"])
async def test_a_process_leaves_although_kafka_is_away(start, role, unused_tcp_port):
    process, address = await start(role, METRICS_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        await eventually(lambda: _answers(client, "/health/live", 200))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_an_api_answers_what_it_was_asked_before_it_was_told_to_leave(
    start, database, unused_tcp_port, tmp_path
):
    issuer = Issuer()
    told = {"METRICS_HTTP_PORT": str(unused_tcp_port), "METRICS_AUTH_JWKS": issuer.write_jwks(tmp_path)}
    process, address = await start("api", **told)
    admin = await asyncpg.connect(database.admin_url)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        await eventually(lambda: _answers(client, "/health/ready", 200))
        async with admin.transaction():
            await admin.execute("LOCK TABLE metrics.consumer_offsets")
            request = client.get("/v1/freshness", headers=issuer.headers("viewer"))
            asked = asyncio.ensure_future(request)
            await eventually(lambda: admin.fetchval("SELECT 1 FROM pg_locks WHERE NOT granted"))
            process.send_signal(signal.SIGTERM)
            await eventually(lambda: _refuses(unused_tcp_port))
            assert not asked.done()
        assert (await asked).status_code == 200
    await admin.close()
    assert await process.wait() == 0


async def test_an_interrupted_api_leaves_in_order(start, unused_tcp_port):
    process, address = await start("api", METRICS_HTTP_PORT=str(unused_tcp_port))
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        await eventually(lambda: _answers(client, "/health/live", 200))
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0


async def test_a_relay_tells_how_many_buckets_it_owns(start):
    _, address = await start("relay")
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
        await eventually(lambda: _tells(client, 'bailiwick_outbox_leases{service="metrics"} 16.0'))


@pytest.mark.parametrize("role", ["relay", "consumer"])
async def test_old_idempotency_keys_are_put_away_whoever_runs(start, database, role, unused_tcp_port):
    """Who publishes the outbox with Debezium runs no relay of ours, and neither role needs Kafka for it."""
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute(
        "INSERT INTO metrics.idempotency_keys (principal, route, key, fingerprint, created_at) "
        "SELECT 'p', 'r', hours, '', now() - make_interval(hours => hours) FROM unnest(ARRAY[1, 23, 25, 99]) AS hours"
    )
    await start(role, METRICS_KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")
    kept = "SELECT string_agg(key, ',' ORDER BY created_at) = '23,1' FROM metrics.idempotency_keys"
    await eventually(lambda: admin.fetchval(kept))
    await admin.close()


async def test_a_process_refuses_a_schema_of_another_release(start, service_database):
    other = await service_database("metrics")
    admin = await asyncpg.connect(other.admin_url)
    await admin.execute("UPDATE metrics.alembic_version SET version_num = 'another'")
    await admin.close()
    with pytest.raises(AssertionError, match=r"relay ended with 1: .*run `migrate`"):
        await start("relay", METRICS_DATABASE_URL=other.app_url)


async def _answers(client, path, status):
    try:
        return (await client.get(path)).status_code == status
    except httpx.ConnectError:
        return False


async def _tells(client, line):
    return line in (await client.get("/metrics")).text.splitlines()


async def _refuses(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False
