"""What nobody waits for."""

from datetime import timedelta

from prometheus_client import REGISTRY

from shared.messaging.housekeeping import Housekeeping
from tests.service.shared import toy

KEEP = (
    "INSERT INTO idempotency_keys (principal, route, key, fingerprint, created_at) "
    "VALUES ('p', 'r', :key, '', :at)"
)


async def test_yesterdays_answers_are_put_away(engine, clock, query):
    await query(KEEP, key="old", at=clock.now() - timedelta(hours=25))
    await query(KEEP, key="fresh", at=clock.now() - timedelta(hours=23))
    assert await Housekeeping(toy.SERVICE, engine, clock).purge() == 1
    assert await query("SELECT key FROM idempotency_keys") == [("fresh",)]


async def test_what_waits_is_measured(engine, clock, publish):
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="lamp", number=2))
    await Housekeeping(toy.SERVICE, engine, clock).measure()
    assert REGISTRY.get_sample_value("bailiwick_outbox_rows", {"service": toy.SERVICE}) == 2
    assert (REGISTRY.get_sample_value("bailiwick_outbox_oldest_seconds", {"service": toy.SERVICE}) or 0) > 0
