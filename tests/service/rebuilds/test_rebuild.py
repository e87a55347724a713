"""A projection that is built anew equals the one that grew, whatever happened, and takes its place unnoticed."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.contracts import assignment, metrics
from shared.messaging.consumer import Consumer
from shared.messaging.operations.swap import Swap
from shared.testing.frozen_clock import FrozenClock
from shared.testing.waiting import eventually
from tests.service.rebuilds.conftest import PROJECTIONS, Stage
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import AUDIT
from tests.service.test_migrations import _objects

LEFT = "SELECT tablename FROM pg_tables WHERE schemaname LIKE '%_rebuild'"
COVERAGES = ("metrics.coverages", assignment.COVERAGES)


async def rights(stage: Stage):
    return await stage.query(
        "SELECT relname, relacl::text, reloptions::text FROM pg_class "
        f"WHERE relnamespace = '{stage.database.service}'::regnamespace ORDER BY relname"
    )


@pytest.mark.parametrize(("consumer", "topic"), PROJECTIONS)
async def test_what_is_built_anew_equals_what_grew(stage, consumer, topic):
    """Three times over, the live one growing in batches of any size: byte by byte the same rows and definitions."""
    one = await stage(consumer, topic)
    definitions, granted = await _objects(one.database), await rights(one)
    for seed in range(3):
        await one.publish(120)
        await one.apply(seed)
        before = await one.contents()
        [told] = await one.rebuild("--as", "jane")
        assert (one.operator.status, told["equal"], told["swapped"]) == (0, True, True), told
        assert all(row["live_rows"] for row in told["tables"] if row["table"] != "parked_keys")
        assert await one.contents() == before
    assert await _objects(one.database) == definitions
    assert await rights(one) == granted
    assert await one.query(LEFT, owner=True) == []
    audit = await one.query(AUDIT)
    assert [(actor, operation) for actor, operation, _ in audit] == [
        ("operator:jane", "events-projection-rebuild")
    ] * 3
    assert audit[0][2]["consumer"] == consumer
    await one.publish(60)
    await one.apply(9)
    [told] = await one.rebuild("--dry-run")
    assert (told["equal"], told["swapped"]) == (True, False)


async def test_live_traffic_goes_on(stage):
    """A reader through the view never finds less than before, and the consumer goes on from where it was."""
    one = await stage("collab.handoffs", assignment.TERRITORIES)
    await one.publish(40)
    await one.apply(1)
    await one.query(
        "INSERT INTO live_plan SELECT true, 1, gen_random_uuid(), tree_id FROM tree_closures "
        "ORDER BY tree_id DESC LIMIT 1"
    )
    [(expected,)] = await one.query("SELECT count(*) FROM live_closure")
    assert expected > 5
    seen: list[int] = []

    async def read(stopping: asyncio.Event):
        connection = await asyncpg.connect(
            one.database.app_url, server_settings={"search_path": "collab", "lock_timeout": "2s"}
        )
        while not stopping.is_set():
            # The driver's prepared statement outlives the swap.
            async with connection.transaction(isolation="repeatable_read"):
                seen.append(await connection.fetchval("SELECT count(*) FROM live_closure"))
        await connection.close()

    engine = one.database.build_engine()
    consumer = Consumer(
        one.consumer,
        [one.subscription],
        engine=engine,
        clock=FrozenClock(),
        access=one.kafka.access,
        source="/test",
    )
    async with until_left(read), until_left(consumer.run):
        await eventually(lambda: consumer.ready)
        publishing = asyncio.create_task(_keep_publishing(one))
        for _ in range(2):
            [told] = await one.rebuild()
            assert (told["equal"], told["swapped"]) == (True, True)
        await publishing
        ends = await one.kafka.end_offsets(one.topic)

        async def all_applied():
            rows = await one.query("SELECT partition, next_offset FROM consumer_offsets")
            return dict(rows) == ends

        await eventually(all_applied)
        at = len(seen)
        await eventually(lambda: len(seen) > at)
    await engine.dispose()
    assert set(seen) == {expected}
    [told] = await one.rebuild("--dry-run")
    assert told["equal"]


async def _keep_publishing(one: Stage) -> None:
    for _ in range(6):
        await one.publish(20)


async def test_what_differs_stays_out_until_an_operator_accepts_it(stage):
    one = await stage(*COVERAGES)
    await one.publish(80)
    await one.apply(1)
    whole = await one.contents()
    await one.query(
        "DELETE FROM coverages WHERE coverage_id = (SELECT min(coverage_id::text)::uuid FROM coverages)"
    )
    [told] = await one.rebuild()
    assert (one.operator.status, told["equal"], told["swapped"]) == (3, False, False)
    [row] = [row for row in told["tables"] if not row["equal"]]
    assert (row["table"], row["built_rows"]) == ("coverages", row["live_rows"] + 1)
    assert await one.contents() != whole
    assert await one.query(AUDIT) == []
    # For a closer look, until the next build.
    assert ("coverages",) in await one.query(LEFT, owner=True)
    [told] = await one.rebuild("--accept-difference")
    assert (one.operator.status, told["swapped"]) == (0, True)
    assert await one.contents() == whole
    [(_, _, what)] = await one.query(AUDIT)
    assert what["equal"] == "False"


async def test_a_dry_run_leaves_nothing_behind(stage):
    one = await stage(*COVERAGES)
    await one.publish(20)
    await one.apply(1)
    [told] = await one.rebuild("--dry-run")
    assert (one.operator.status, told["equal"], told["swapped"]) == (0, True, False)
    assert await one.query(LEFT, owner=True) == await one.query(AUDIT) == []


async def test_a_dry_run_brings_no_news_of_dead_letters(stage):
    """They wake people, and what a rehearsal gives up is given up by nobody."""
    one = await stage(*COVERAGES)
    await one.publish(20)
    await one.apply(1)

    async def refuse(received, uow):
        raise ValueError("no coverage starts here")

    handlers = {**one.subscription.handlers, assignment.CoverageStarted: refuse}
    one.subscription = replace(one.subscription, handlers=handlers)
    with capture_logs() as rehearsed:
        [told] = await one.rebuild("--dry-run")
    assert (one.operator.status, told["equal"]) == (3, False)
    with capture_logs() as built:
        await one.rebuild()
    news = [{line["event"] for line in logs} & {"dead letter", "key parked"} for logs in (rehearsed, built)]
    assert news == [set(), {"dead letter", "key parked"}]


async def test_a_consumer_that_never_ran_is_equal_to_nothing(stage):
    one = await stage(*COVERAGES)
    await one.publish(20)
    [told] = await one.rebuild()
    assert (told["equal"], told["swapped"]) == (True, True)
    await one.apply(1)
    [told] = await one.rebuild("--dry-run")
    assert told["equal"]
    assert told["tables"][0]["live_rows"] > 0


async def test_a_key_that_a_mended_handler_can_apply_is_let_go(stage):
    """The build applied what the live consumer once refused: position, versions and parked keys are the build's."""
    one = await stage(*COVERAGES)
    await one.publish(60)
    await one.apply(1)
    whole = await one.contents()
    [(key, version)] = await one.query(
        "SELECT aggregateid, version FROM consumer_watermarks ORDER BY version DESC LIMIT 1"
    )
    await one.query(f"UPDATE consumer_watermarks SET version = 0 WHERE aggregateid = '{key}'")
    await one.query(
        f"INSERT INTO parked_keys VALUES ('{one.consumer}', '{one.topic}', '{key}', 'failed', now())"
    )
    await one.query(
        "INSERT INTO parked_records (consumer, topic, partition, record_offset, aggregateid, version, "
        f"record_headers, parked_at) VALUES ('{one.consumer}', '{one.topic}', 0, 0, '{key}', 1, '[]', now())"
    )
    await one.rebuild()
    assert one.operator.status == 3
    await one.rebuild("--accept-difference")
    assert await one.query("SELECT 1 FROM parked_keys UNION ALL SELECT 1 FROM parked_records") == []
    assert await one.query(f"SELECT version FROM consumer_watermarks WHERE aggregateid = '{key}'") == [
        (version,)
    ]
    assert await one.contents() == whole
    await one.publish(60)
    await one.apply(2)
    [told] = await one.rebuild("--dry-run")
    assert told["equal"]


async def test_states_are_built_from_what_compaction_left(stage):
    """The beginning of a state topic may be gone: the newest state of each key is what counts."""
    one = await stage("assignment.measures", metrics.ACCOUNT_STATE)
    await one.publish(60)
    older = await one.kafka.end_offsets(one.topic)
    await one.publish(300)
    await one.apply(1)
    for partition, end in older.items():
        await one.kafka.delete_records(one.topic, partition, before=end)
    [told] = await one.rebuild()
    assert (told["equal"], told["swapped"]) == (True, True)
    assert told["tables"][0]["live_rows"] > 10


@pytest.mark.parametrize("tail", [2_000, 5])
async def test_what_comes_between_comparison_and_swap_is_not_lost(stage, monkeypatch, tail):
    """The live consumer is at its fastest just before it is held; with too much to catch up on it is let go again."""
    one = await stage(*COVERAGES)
    await one.publish(40)
    await one.apply(1)
    monkeypatch.setattr("shared.messaging.operations.projections.TAIL_RECORDS", tail)
    ordinary, held = Swap.begin, []

    async def begin_late(swap, connection):
        if not held:
            await one.publish(40)
            await one.apply(2)
        held.append(swap)
        return await ordinary(swap, connection)

    monkeypatch.setattr(Swap, "begin", begin_late)
    [told] = await one.rebuild()
    assert (told["swapped"], len(held)) == (True, 1 if tail > 40 else 2)
    [told] = await one.rebuild("--dry-run")
    assert told["equal"]
    assert len(await one.query(AUDIT)) == 1
