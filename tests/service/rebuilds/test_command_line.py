"""The command as an operator types it: a process, settings from the environment, tables, an exit status."""

import asyncio
import os
import subprocess
import sys

from services.metrics.consumers import CONSUMERS
from tests.service.rebuilds.test_rebuild import COVERAGES
from tests.service.shared.operators import AUDIT

BAILIWICK = "from shared.messaging.bailiwick import main; main()"


async def bailiwick(stage, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `bailiwick --service metrics events ...` against a stage."""
    told = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": stage.database.app_url,
        "MIGRATION_DATABASE_URL": stage.database.owner_url,
        "KAFKA_BOOTSTRAP_SERVERS": stage.kafka.access.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": stage.kafka.access.topic_prefix,
    }
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", BAILIWICK, "--service", "metrics", "events", *words],
        env=os.environ | {f"METRICS_{name}": value for name, value in told.items()},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_every_verb_runs_as_it_is_typed(stage):
    one = await stage(*COVERAGES)
    # What else metrics reads: lag refuses a cluster that has not all of it.
    others = {subscription.topic for each in CONSUMERS.values() for subscription in each} - {COVERAGES[1]}
    await one.kafka.create_topics(dict.fromkeys(sorted(others), 1))
    await one.publish(40)
    await one.apply(1)
    await one.publish(3)
    await one.query(
        "INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, aggregateversion) "
        "SELECT 'metrics.goal.events.v1', 'goal-7', 'metrics.goal.recovered.v1', '{}', '/demo/metrics', v "
        "FROM generate_series(1, 2) AS v"
    )
    for words, status, expected in (
        ("projection list", 0, "POST /v1/reconciliations"),
        ("projection rebuild metrics.coverages --dry-run", 0, "At equal offsets"),
        ("projection rebuild metrics.coverages --as jane", 0, "Put in place."),
        ("projection rebuild metrics.facts", 1, ""),
        ("outbox list", 0, "waiting"),
        ("outbox quarantine 1 --reason too-large --as jane", 0, "Later rows of the key wait for it."),
        ("outbox list --limit 5", 0, "held"),
        ("lag", 0, "metrics.coverages"),
        ("lag --max-age 0", 3, "metrics.coverages"),
        ("outbox release 1 --as jane", 0, "is back in the outbox"),
        ("dlq list", 0, "No key waits."),
        ("dlq replay metrics.coverages assignment.coverage.events.v1 k", 1, ""),
    ):
        done = await bailiwick(one, *words.split())
        assert done.returncode == status, f"{words}: {done.stdout} {done.stderr}"
        assert expected in done.stdout
        assert "Traceback" not in done.stderr
    assert [operation for _, operation, _ in await one.query(AUDIT)] == [
        "events-projection-rebuild",
        "events-outbox-quarantine",
        "events-outbox-release",
    ]
    done = await bailiwick(one, "outbox", "quarantine")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m services.metrics events outbox quarantine")
