"""What nobody waits for."""

import asyncio
from datetime import timedelta

from prometheus_client import REGISTRY
from sqlalchemy import make_url, text
from structlog.testing import capture_logs

from shared.db.engine import build_engine
from shared.messaging.batches import Batches
from shared.messaging.housekeeping import Housekeeping
from shared.testing.waiting import eventually
from tests.service.shared import toy
from tests.service.shared.batches import place, record

KEEP = (
    "INSERT INTO idempotency_keys (principal, route, key, fingerprint, created_at) "
    "VALUES ('p', 'r', :key, '', :at)"
)


async def test_yesterdays_answers_are_put_away(engine, clock, query):
    await query(KEEP, key="old", at=clock.now() - timedelta(hours=25))
    await query(KEEP, key="fresh", at=clock.now() - timedelta(hours=23))
    assert await Housekeeping(toy.SERVICE, engine, clock).purge() == 1
    assert await query("SELECT key FROM idempotency_keys") == [("fresh",)]


async def test_more_than_one_bite_is_put_away(engine, clock, query):
    await query(
        "INSERT INTO idempotency_keys (principal, route, key, fingerprint, created_at) "
        "SELECT 'p', 'r', number, '', :at FROM generate_series(1, 2001) AS number",
        at=clock.now() - timedelta(hours=25),
    )
    assert await Housekeeping(toy.SERVICE, engine, clock).purge() == 2001


async def test_one_process_at_a_time_puts_away(engine, clock, query):
    await query(KEEP, key="old", at=clock.now() - timedelta(hours=25))
    housekeeping = Housekeeping(toy.SERVICE, engine, clock)
    async with engine.begin() as other:
        await other.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"{toy.SERVICE}.purge"}
        )
        assert await housekeeping.purge() == 0
    assert await housekeeping.purge() == 1


async def test_a_database_that_is_away_ends_no_housekeeping(database, clock, unused_tcp_port):
    """It runs in the processes of others: what it cannot do now must not end them."""
    away = make_url(database.app_url)
    for url in (away.set(port=unused_tcp_port), away.set(password="wrong"), away.set(database="missing")):
        address = url.render_as_string(hide_password=False)
        engine = build_engine(address, schema=toy.SERVICE, application_name="test")
        stopping = asyncio.Event()
        with capture_logs() as logs:
            keeping = asyncio.ensure_future(Housekeeping(toy.SERVICE, engine, clock).keep_purging(stopping))
            await eventually(lambda: [line for line in logs if line["event"] == "housekeeping skipped"])
            assert not keeping.done()
        stopping.set()
        await keeping
        await engine.dispose()


async def test_keys_that_wait_are_counted_also_where_none_does(engine, clock, query):
    ledger = toy.Ledger()
    consumers = {toy.READER: [ledger.events(), ledger.states()]}
    batches = Batches(toy.READER, ledger.events(), engine=engine, clock=clock, source="/toy")
    await batches.begin(place(toy.EVENTS), at=0)
    await batches.apply(place(toy.EVENTS), [record(0, toy.Happened(thing="lamp", number=2), 2)])
    await query(
        "INSERT INTO parked_keys VALUES (:consumer, :topic, 'chair', 'diverged', now())",
        consumer=toy.READER,
        topic=toy.EVENTS,
    )
    await query(
        "INSERT INTO parked_records SELECT consumer, topic, partition, 9, 'chair', version, record_key, record_value, "
        "record_headers, error, parked_at FROM parked_records"
    )
    await Housekeeping(toy.SERVICE, engine, clock).count(consumers)
    assert [_waiting(name, toy.EVENTS) for name in ("parked", "diverged")] == [2, 1]
    assert [_waiting(name, toy.STATES) for name in ("parked", "diverged")] == [0, 0]
    await query("DELETE FROM parked_records")
    await Housekeeping(toy.SERVICE, engine, clock).count(consumers)
    assert [_waiting(name, toy.EVENTS) for name in ("parked", "diverged")] == [0, 0]


def _waiting(name, topic):
    labels = {"consumer": toy.READER, "topic": topic}
    return REGISTRY.get_sample_value(f"bailiwick_consumer_{name}_keys", labels)


async def test_quarantined_rows_are_measured(engine, clock, query, publish):
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="lamp", number=2))
    await query(
        "INSERT INTO outbox_dead SELECT seq, id, aggregatetype, aggregateid, type, payload, source, dataschema, "
        "headers, aggregateversion, created_at, 'large', aggregateversion = 1, now(), 'jane' FROM outbox"
    )
    await Housekeeping(toy.SERVICE, engine, clock).measure()
    assert [_quarantined(holds) for holds in ("true", "false")] == [1, 1]
    await query("DELETE FROM outbox_dead")
    await Housekeeping(toy.SERVICE, engine, clock).measure()
    assert [_quarantined(holds) for holds in ("true", "false")] == [0, 0]


def _quarantined(holds_key):
    labels = {"service": toy.SERVICE, "holds_key": holds_key}
    return REGISTRY.get_sample_value("bailiwick_outbox_quarantined_rows", labels)


async def test_what_waits_is_measured(engine, clock, publish):
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="lamp", number=2))
    await Housekeeping(toy.SERVICE, engine, clock).measure()
    assert REGISTRY.get_sample_value("bailiwick_outbox_rows", {"service": toy.SERVICE}) == 2
    assert (REGISTRY.get_sample_value("bailiwick_outbox_oldest_seconds", {"service": toy.SERVICE}) or 0) > 0
