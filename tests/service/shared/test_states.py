"""State topics: written with the events, at their version; a tombstone for what is gone; republished on request."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.states import StateTopic
from shared.db.transact import Transactor
from shared.messaging.operations.republish import Progress, republish
from shared.messaging.outgoing import to_record
from tests.service.shared import toy
from tests.service.shared.operators import AUDIT, Operator

LAMPS = StateTopic(
    toy.ThingState,
    toy.EVENTS,
    """
    SELECT jsonb_build_object('thing', l.key, 'number', max(l.version)) AS payload
    FROM ledger l WHERE l.key = k.key GROUP BY l.key
    """,
)
_STATES = (
    "SELECT aggregateid, aggregateversion, payload FROM outbox WHERE aggregatetype = :topic ORDER BY seq"
)

_OUTBOX = text("""
SELECT seq, id::text AS id, aggregatetype, aggregateid, type, payload::text AS payload, source, dataschema,
       headers::text AS headers, aggregateversion, created_at
FROM outbox ORDER BY seq
""")


@pytest.fixture
def states(query):
    async def read():
        return await query(_STATES, topic=toy.STATES)

    return read


@pytest.fixture
def happen(engine, clock):
    """Put things into the ledger at a number, None to take them out, and announce it with their states."""
    transact = Transactor(engine=engine, clock=clock, source="/toy")

    async def change(numbers, uow):
        for thing, number in numbers.items():
            await uow.connection.exec_driver_sql("DELETE FROM ledger WHERE key = $1", (thing,))
            if number is not None:
                await toy._enter(uow, [(thing, number, "state")])
            uow.outbox.add(toy.Happened(thing=thing, number=number or 0))
        uow.outbox.add_states(LAMPS, numbers)

    async def run(**numbers):
        await transact(change, numbers)

    return run


async def test_a_state_has_the_number_of_the_last_event_it_includes(happen, publish, states):
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="lamp", number=2))
    await happen(lamp=7, chair=1)
    assert await states() == [
        ("chair", 1, {"thing": "chair", "number": 1}),
        ("lamp", 3, {"thing": "lamp", "number": 7}),
    ]


async def test_the_id_of_a_state_is_above_those_of_the_events_it_includes(happen, publish, engine):
    """As the relay sends them: a subscriber that begins with states notices other events by it."""
    await publish(toy.Happened(thing="lamp", number=1), toy.Happened(thing="lamp", number=2))
    await happen(lamp=7)
    async with engine.connect() as connection:
        rows = (await connection.execute(_OUTBOX)).mappings().all()
    told = [(record.topic, dict(record.headers)["ce_id"]) for record in map(to_record, rows)]
    assert [topic for topic, _ in told] == [toy.EVENTS, toy.EVENTS, toy.EVENTS, toy.STATES]
    assert [ce_id for _, ce_id in told] == sorted({ce_id for _, ce_id in told})


async def test_what_is_gone_leaves_a_tombstone(happen, states):
    await happen(lamp=1)
    await happen(lamp=None)
    assert await states() == [("lamp", 1, {"thing": "lamp", "number": 1}), ("lamp", 2, None)]


async def test_states_leave_with_the_transaction_or_not_at_all(engine, clock, query):
    broken = StateTopic(toy.ThingState, toy.EVENTS, "SELECT to_jsonb(1 / length('')) AS payload")

    async def change(_, uow):
        uow.outbox.add(toy.Happened(thing="lamp", number=1))
        uow.outbox.add_states(broken, ["lamp"])

    with pytest.raises(DBAPIError, match="division by zero"):
        await Transactor(engine=engine, clock=clock, source="/toy")(change, None)
    assert await query("SELECT count(*) FROM outbox") == [(0,)]


async def test_republishing_tells_every_state_once_more_and_what_is_gone(happen, engine, states, query):
    await happen(a=1, b=1, c=1)
    await happen(a=2, b=None)
    await query("DELETE FROM outbox")
    steps = [step async for step in republish(engine, LAMPS, source="/toy", batch=2)]
    assert steps == [Progress(2, 2), Progress(3, 3)]
    told = await states()
    assert told == [
        ("a", 2, {"thing": "a", "number": 2}),
        ("b", 2, None),
        ("c", 1, {"thing": "c", "number": 1}),
    ]
    assert [step async for step in republish(engine, LAMPS, source="/toy")] == [Progress(3, 0)]
    assert await states() == told


async def test_operators_see_state_topics_and_have_states_sent_once_more(
    database, happen, states, query, capsys
):
    operator = Operator(database, None, capsys)
    await happen(a=1, b=1)
    await query("DELETE FROM outbox")

    async def say(*words):
        return await operator.say("state", *words, states=[LAMPS])

    assert await say("list") == [{"topic": toy.STATES, "events": toy.EVENTS, "entities": 2}]
    counted = {"topic": toy.STATES, "entities": 2, "written": 0, "dry_run": True}
    assert await say("republish", toy.STATES, "--dry-run") == [counted]
    assert (await states(), await query(AUDIT)) == ([], [])
    [told] = await say("republish", toy.STATES, "--as", "jane")
    assert told == {**counted, "written": 2, "dry_run": False}
    assert len(await states()) == 2
    assert await query(AUDIT) == [("operator:jane", "events-state-republish", {"topic": toy.STATES})]
    assert await say("republish", "no.such.topic.v1") == []
    assert operator.status == 1
    assert f"its state topics: {toy.STATES}" in operator.refusal
