"""Where tests/simulation stands for SQL, it does what the SQL does: both are given the same, and end the same."""

import random

from shared.db.outbox import Outbox
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.records import TopicPartition
from shared.messaging.batches import Batches
from shared.messaging.operations.dead_letters import discard, list_diverged
from shared.messaging.relay import FETCH
from tests.faults.checks import find_inverted
from tests.service.shared import toy
from tests.simulation.consuming import Phase, Reading, ReadingDatabase
from tests.simulation.event_log import EventLog
from tests.simulation.exploring import explore
from tests.simulation.restored import divergent_places
from tests.simulation.restoring import discard as discard_simulated
from tests.simulation.safeguards import ALL
from tests.simulation.telling import EVENTS, KEYS, Told, bucket_of
from tests.simulation.writing import ANNOUNCEMENTS, ProducingDatabase, Writer

SCHEDULES = 12
STATE = """
SELECT 'offset', partition::text, next_offset::text FROM consumer_offsets WHERE consumer = :consumer
UNION ALL SELECT 'seen', aggregateid, version::text FROM consumer_watermarks WHERE consumer = :consumer
UNION ALL SELECT 'ids', aggregateid, concat_ws(' ', last_event_id, highest_event_id)
    FROM consumer_watermarks WHERE consumer = :consumer
UNION ALL SELECT 'key', aggregateid, reason FROM parked_keys WHERE consumer = :consumer
UNION ALL SELECT 'record', aggregateid, record_offset::text FROM parked_records WHERE consumer = :consumer
"""


def disordered_logs() -> list[EventLog]:
    """Return logs with repeats and with events before their time."""
    found = [run.world.log for run in explore(3_000, seed=3) if run.world.log.strayed]
    return [log for log in found if find_inverted(events_of(log), where="log")][:SCHEDULES]


def diverged_logs() -> list[EventLog]:
    """Return logs of publishers that were restored and told numbers again, with all that was told anew."""
    runs = explore(3_000, seed=5)
    return [run.world.log for run in runs if run.world.restored and divergent_places(run.world)][:SCHEDULES]


def events_of(log: EventLog) -> list[Told]:
    return [told for _, _, told in log.history if told.topic == EVENTS]


def deliveries(log: EventLog, chance: random.Random):
    """Yield batches of each partition: of any size, some again and some that overlap what was applied."""
    for place in log.records:
        if place[0] == EVENTS:
            at = 0
            while at < len(log.records[place]):
                # Small ones: what is disordered within a batch waits for nothing.
                begin = max(0, at - chance.choice((0, 0, 1, 3)))
                batch = log.read(place, begin, at - begin + chance.choice((1, 1, 2)))
                yield place, batch
                at = batch[-1].record.offset + 1


def simulated(reading: Reading, batch) -> None:
    reading.records = batch
    reading.phase = Phase.PLAN
    while reading.phase is not Phase.POLL:
        reading.step(0)


def state_of(database: ReadingDatabase) -> set[tuple[str, str, str]]:
    return {
        *(("offset", str(place[1]), str(offset)) for place, offset in database.next_offsets.items()),
        *(("seen", key, str(version)) for (_, key), version in database.watermarks.items()),
        *(("ids", key, " ".join(filter(None, ids))) for (_, key), ids in database.ids.items()),
        *(("key", key, str(reason)) for (_, key), reason in database.parked_keys.items()),
        *(("record", key, str(at)) for (_, key), kept in database.parked_records.items() for at in kept),
    }


async def test_a_consumers_tables_are_what_the_simulation_makes_them(engine, clock, query):
    logs = [*disordered_logs(), *diverged_logs()]
    assert len(logs) == 2 * SCHEDULES
    waited = diverged = 0
    for number, log in enumerate(logs):
        consumer, tables, readings = f"toy.reader.{number}", ReadingDatabase(), {}
        batches = Batches(consumer, toy.Ledger().events(), engine=engine, clock=clock, source="/toy")
        for place, batch in deliveries(log, random.Random(number)):
            if place not in readings:
                readings[place] = Reading(place, 0, tables, log, ALL)
                readings[place].begin()
                await batches.begin(TopicPartition(*place), at=0)
            simulated(readings[place], batch)
            await batches.apply(TopicPartition(*place), [each.record for each in batch])
            assert set(await query(STATE, consumer=consumer)) == state_of(tables)
            waited += bool(tables.parked_records)
        for key in await list_diverged(batches):
            diverged += 1
            async with engine.begin() as connection:
                outbox = Outbox(source="/toy")
                await discard(batches, key, UnitOfWork(connection, clock.now(), "operator", outbox))
            discard_simulated(tables, (EVENTS, key))
            assert set(await query(STATE, consumer=consumer)) == state_of(tables)
        ledger = await query("SELECT key, version FROM ledger ORDER BY entry")
        assert ledger == [(effect.key, effect.version) for effect in tables.effects]
        await query("DELETE FROM ledger")
    assert waited >= SCHEDULES // 2
    assert diverged >= SCHEDULES


async def test_an_outbox_is_what_the_simulation_makes_it(engine, clock, query):
    tables = ProducingDatabase()
    writer = Writer(tables, ALL)
    transact = Transactor(engine=engine, clock=clock, source="/toy")

    async def announce(places, uow) -> None:
        for number, place in enumerate(places):
            contract = (toy.Happened, toy.Renamed)[number % 2]
            uow.outbox.add(contract(thing=place[1], number=number))

    for choice in random.Random(1).choices(range(len(ANNOUNCEMENTS)), k=30):
        places = ANNOUNCEMENTS[choice]
        if None in places:
            continue
        writer.step(choice)
        while not writer.idle:
            writer.step(0)
        await transact(announce, places)
    buckets = dict(await query("SELECT aggregateid, min(bucket) FROM outbox GROUP BY aggregateid"))
    simulated_buckets = {key: bucket_of(key) for key in KEYS}
    for key in KEYS:
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            rows = await driver.fetch(FETCH, [buckets[key]], [], 500)
        fetched = [(row["aggregateid"], row["aggregateversion"]) for row in rows]
        expected = tables.fetch([simulated_buckets[key]], 500)
        assert fetched == [(told.key, told.version) for _, told in expected]
    in_order = await query("SELECT aggregateid, aggregateversion FROM outbox ORDER BY seq")
    all_rows = sorted((seq, told) for bucket in tables.outbox.values() for seq, told in bucket.items())
    assert in_order == [(told.key, told.version) for _, told in all_rows]
