"""One batch, one transaction: zombies, restarts, refusals and the database's own troubles, without a broker."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.db.engine import build_engine
from shared.messaging.batches import Batches, NotBegun
from shared.messaging.positions import OffsetGap
from shared.messaging.transient import is_transient
from tests.service.shared import toy
from tests.service.shared.batches import applied, place, record

PLACE = place(toy.EVENTS)


def lamps(*numbers, start=0):
    return [
        record(start + at, toy.Happened(thing="lamp", number=number), number)
        for at, number in enumerate(numbers)
    ]


async def next_offset(query):
    return (await query("SELECT next_offset FROM consumer_offsets"))[0][0]


async def test_two_members_that_hold_the_same_batch_apply_it_once(batches, query):
    """A member that Kafka put out of the group does not know it yet: the row's lock decides."""
    records = lamps(*range(1, 51))
    outcomes = await asyncio.gather(*(batches.apply(PLACE, records) for _ in range(4)))
    assert sorted(outcome.applied for outcome in outcomes) == [0, 0, 0, 50]
    assert await applied(query, "lamp") == list(range(1, 51))


async def test_a_late_member_applies_only_what_is_new(batches, query):
    await batches.apply(PLACE, lamps(1, 2, 3))
    outcome = await batches.apply(PLACE, lamps(1, 2, 3, 4, 5))
    assert (outcome.applied, outcome.duplicates, outcome.next_offset) == (2, 3, 5)
    assert await applied(query, "lamp") == [1, 2, 3, 4, 5]


async def test_a_partition_never_read_says_so(batches):
    with pytest.raises(NotBegun):
        await batches.apply(place(toy.EVENTS, 7), lamps(1))


async def test_a_start_that_stands_is_not_moved(batches):
    assert await batches.begin(PLACE, at=99) == 0


async def test_missing_offsets_apply_nothing(batches, query):
    with pytest.raises(OffsetGap):
        await batches.apply(PLACE, lamps(1, start=3))
    with pytest.raises(OffsetGap):
        await batches.apply(PLACE, [*lamps(1), *lamps(2, start=5)])
    assert await applied(query, "lamp") == []
    assert await next_offset(query) == 0


async def test_a_compacted_log_has_holes(engine, clock, query):
    ledger = toy.Ledger()
    states = Batches(toy.READER, ledger.states(), engine=engine, clock=clock, source="/toy")
    await states.begin(place(toy.STATES), at=0)
    states_of = [record(at, toy.ThingState(thing="lamp", number=at), at) for at in (2, 5, 9)]
    with pytest.raises(OffsetGap):
        await states.apply(place(toy.STATES), states_of)
    outcome = await states.apply(place(toy.STATES), states_of, accept_hole=True)
    assert outcome.next_offset == 10
    assert await applied(query, "lamp") == [9]


async def test_a_refusal_among_many_costs_the_others_nothing(batches, ledger, query):
    ledger.refuse = {"t13"}
    records = [record(at, toy.Happened(thing=f"t{at}", number=1), 1) for at in range(40)]
    outcome = await batches.apply(PLACE, records)
    assert (outcome.applied, outcome.dead, outcome.parked, outcome.next_offset) == (39, 1, 1, 40)
    assert await query("SELECT count(*), count(DISTINCT key) FROM ledger") == [(39, 39)]
    assert await query("SELECT aggregatetype, aggregateid FROM outbox") == [
        (f"{toy.EVENTS}.{toy.READER}.dlq", "t13")
    ]


async def test_a_handler_that_fails_twice_is_not_given_up(batches, ledger, query):
    enter, failures = ledger.enter, iter([True, True, False])

    async def flaky(received, uow):
        if next(failures):
            raise toy.Bug("not yet")
        await enter(received, uow)

    batches.subscription.handlers[toy.Happened] = flaky
    outcome = await batches.apply(PLACE, lamps(1))
    assert (outcome.applied, outcome.dead) == (1, 0)


async def test_a_queue_that_breaks_while_healing_is_kept_for_an_operator(batches, ledger, query):
    enter = ledger.enter

    async def refuse_three(received, uow):
        if any(each.version == 3 for each in received):
            raise toy.Bug("three")
        await enter(received, uow)

    batches.subscription.handlers[toy.Happened] = refuse_three
    await batches.apply(PLACE, lamps(1, 3, 4))
    outcome = await batches.apply(PLACE, lamps(2, start=3))
    assert (outcome.applied, outcome.dead) == (1, 1)
    assert await applied(query, "lamp") == [1, 2]
    assert await query("SELECT reason FROM parked_keys") == [("failed",)]
    assert await query("SELECT version FROM parked_records ORDER BY version") == [(3,), (4,)]


async def test_events_of_handlers_leave_with_the_batch_or_not_at_all(engine, clock, ledger, query):
    subscription = toy.Subscription(toy.EVENTS, {toy.Happened: ledger.echo})
    echoing = Batches(toy.READER, subscription, engine=engine, clock=clock, source="/toy")
    await echoing.begin(PLACE, at=0)
    ledger.refuse = {"lamp"}
    await echoing.apply(
        PLACE, [*lamps(1), record(1, toy.Happened(thing="chair", number=1), 1), *lamps(2, start=2)]
    )
    echoes = await query("SELECT aggregateid FROM outbox WHERE aggregatetype = :topic", topic=toy.ECHOES)
    assert echoes == [("chair",)]


async def test_an_event_continues_the_chain_that_caused_it(engine, clock, ledger, query):
    subscription = toy.Subscription(toy.EVENTS, {toy.Happened: ledger.echo})
    echoing = Batches(toy.READER, subscription, engine=engine, clock=clock, source="/toy")
    await echoing.begin(PLACE, at=0)
    cause = record(0, toy.Happened(thing="lamp", number=1), 1)
    headers = [*cause.headers, ("ce_correlationid", b"c0ffee")]
    await echoing.apply(PLACE, [toy.with_headers(cause, headers)])
    [(found,)] = await query("SELECT headers FROM outbox")
    assert (found["correlationid"], found["causationid"]) == ("c0ffee", "lamp-1")


@pytest.mark.parametrize(
    ("statement", "passes"),
    [
        ("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", True),
        ("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", True),
        ("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", True),
        ("SELECT * FROM no_such_table", True),
        ("DO $$ BEGIN RAISE SQLSTATE '23505'; END $$", False),
        ("DO $$ BEGIN RAISE SQLSTATE '57014'; END $$", False),
        ("SELECT 1 / 0", False),
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
    ],
)
async def test_what_passes_by_itself_is_told_from_what_does_not(engine, statement, passes):
    with pytest.raises(DBAPIError) as caught:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert is_transient(caught.value) is passes


async def test_a_database_that_is_away_is_waited_for(unused_tcp_port):
    engine = build_engine(f"postgresql://a:a@127.0.0.1:{unused_tcp_port}/a", schema="a", application_name="a")
    with pytest.raises(OSError, match="Connect call failed") as caught:
        await engine.connect()
    await engine.dispose()
    assert is_transient(caught.value)


async def test_trouble_with_the_database_is_no_dead_letter(batches, query):
    """A deadlock in a handler must be tried again by the loop, not blamed on a record."""

    async def deadlock(received, uow):
        await uow.connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    batches.subscription.handlers[toy.Happened] = deadlock
    with pytest.raises(DBAPIError):
        await batches.apply(PLACE, lamps(1))
    assert await next_offset(query) == 0
    assert await query("SELECT 1 FROM outbox") == []


async def test_what_the_database_refuses_for_good_is_a_dead_letter(batches, query):
    async def violate(received, uow):
        await uow.connection.execute(text("INSERT INTO outbox (type) VALUES ('incomplete')"))

    batches.subscription.handlers[toy.Happened] = violate
    outcome = await batches.apply(PLACE, lamps(1))
    assert outcome.dead == 1
    [(error,)] = await query("SELECT error FROM parked_records")
    assert IntegrityError.__name__ in error or "null value" in error
