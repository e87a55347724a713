"""What cannot be built anew, and what an operator is told then. Nothing is changed by any of it."""

from dataclasses import replace

import asyncpg
import pytest
from pydantic import SecretStr

from services.collab.consumers import CONSUMERS as COLLAB
from shared.contracts import assignment
from shared.messaging.projection import Projection
from tests.service.rebuilds.test_rebuild import COVERAGES, LEFT
from tests.service.shared.operators import AUDIT


@pytest.fixture
async def one(stage):
    made = await stage(*COVERAGES)
    await made.publish(20)
    await made.apply(1)
    return made


@pytest.fixture
async def refused(one):
    """Rebuild, see it refused and nothing changed, and return what was said."""

    async def run(*words):
        before = await one.contents()
        assert await one.rebuild(*words) == []
        assert one.operator.status == 1
        assert await one.contents() == before
        assert await one.query(AUDIT) == []
        return one.operator.refusal

    return run


async def test_what_is_more_than_a_projection(one):
    said = await one.operator.say(
        "projection", "rebuild", "collab.handoffs", assignment.ACCOUNTS, consumers=COLLAB
    )
    assert (said, one.operator.status) == ([], 1)
    assert "opens handoffs, which people have decided about since" in one.operator.refusal


async def test_a_consumer_of_several_topics_without_a_topic(one):
    said = await one.operator.say("projection", "rebuild", "collab.handoffs", consumers=COLLAB)
    assert (said, one.operator.status) == ([], 1)
    assert "topic: say which one collab.handoffs is meant for" in one.operator.refusal


async def test_without_the_owner(one, refused):
    one.operator.settings = one.operator.settings.model_copy(update={"migration_database_url": None})
    assert "METRICS_MIGRATION_DATABASE_URL is not set" in await refused()


async def test_without_a_place_to_build_in(one, refused):
    await one.query("DROP SCHEMA metrics_rebuild", owner=True)
    assert "run deploy/postgres/roles.sql again" in await refused()


async def test_while_another_build_is_running(one, refused):
    other = await asyncpg.connect(one.database.owner_url)
    await other.execute("SELECT pg_advisory_lock(hashtext('metrics.rebuild'))")
    assert "Another rebuild of metrics is running" in await refused()
    await other.close()
    [told] = await one.rebuild()
    assert told["swapped"]


async def test_a_history_whose_beginning_is_gone(one, refused):
    for partition in await one.kafka.end_offsets(one.topic):
        await one.kafka.delete_records(one.topic, partition, before=1)
    assert "no longer begins at offset 0" in await refused()


async def test_a_table_that_is_more_than_its_rows(one, refused):
    await one.query("CREATE TABLE after (coverage_id uuid REFERENCES coverages)", owner=True)
    assert "it has foreign keys" in await refused()
    await one.query("DROP TABLE after", owner=True)
    await one.query("ALTER TABLE coverages ADD COLUMN counted bigserial", owner=True)
    assert "it draws numbers from a sequence" in await refused()


async def test_a_subscription_that_announces_events(one, refused):
    handler = one.subscription.handlers[assignment.CoverageStarted]

    async def announce(batch, uow):
        await handler(batch, uow)
        uow.outbox.add_all(
            assignment.CoverageEnded(
                coverage_id=item.event.coverage_id,
                territory_id=item.event.territory_id,
                rep_id=item.event.rep_id,
                valid_to=item.event.valid_from,
            )
            for item in batch
        )

    handlers = {**one.subscription.handlers, assignment.CoverageStarted: announce}
    one.subscription = replace(one.subscription, handlers=handlers)
    assert "it is more than a projection" in await refused()
    assert await one.query("SELECT 1 FROM outbox") == []


async def test_tables_that_are_always_in_use(one, refused, monkeypatch):
    """The swap gives way, and leaves readers alone; what was built is dropped by the next one."""
    monkeypatch.setattr("shared.messaging.operations.projections._ATTEMPTS", 2)
    monkeypatch.setattr("shared.messaging.operations.projections.outlast_transactions", _at_once)
    holder = await asyncpg.connect(one.database.app_url, server_settings={"search_path": "metrics"})
    await holder.execute("BEGIN")
    await holder.execute("SELECT count(*) FROM coverages")
    assert "were in use all the time" in await refused()
    assert ("coverages",) in await one.query(LEFT, owner=True)
    await holder.close()
    [told] = await one.rebuild()
    assert told["swapped"]


async def _at_once(engine):
    """Not wait for older transactions."""


async def test_transactions_from_before_the_build_are_waited_for(one, refused, monkeypatch):
    monkeypatch.setattr("shared.messaging.operations.swap.PATIENCE_SECONDS", 0.2)
    holder = await asyncpg.connect(one.database.app_url)
    await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await holder.execute("SELECT 1")
    assert "Transactions from before the build still run" in await refused()
    await holder.close()


async def test_a_broker_that_is_away(one, monkeypatch):
    monkeypatch.setattr("shared.kafka.log.ANSWER_SECONDS", 0.5)
    one.operator.settings = one.operator.settings.model_copy(
        update={"kafka_bootstrap_servers": "127.0.0.1:1"}
    )
    assert await one.rebuild() == []
    assert one.operator.status == 4
    assert "does not answer" in one.operator.refusal


async def test_a_database_that_is_away(one):
    one.operator.settings = one.operator.settings.model_copy(
        update={"database_url": SecretStr("postgresql://app:app@127.0.0.1:1/none")}
    )
    assert await one.operator.say("outbox", "list", consumers={}) == []
    assert one.operator.status == 4


def test_a_projection_keeps_something():
    with pytest.raises(ValueError, match="a projection keeps at least one"):
        Projection(())
