"""What is published of accounts: trailing revenue and open pipeline, when they change and only then."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.metrics.account_states.commands import (
    PublishAccountStates,
    publish_account_states,
    sweep_trailing_window,
)
from services.metrics.account_states.states import ACCOUNT_FIGURES
from services.metrics.account_states.worker import work
from services.metrics.facts.commands.apply_facts import apply_facts
from shared.contracts.identity import account_id_of
from shared.contracts.metrics import AccountState
from shared.messaging.operations.republish import Progress, republish
from shared.testing.frozen_clock import A_MONDAY
from shared.testing.waiting import eventually
from tests.service.metrics.telling import fact, recorded


@pytest.fixture
def published(engine):
    """Read what was announced, the newest state last."""

    async def published():
        query = text("SELECT payload, aggregateversion FROM outbox WHERE aggregatetype = :topic ORDER BY seq")
        async with engine.connect() as connection:
            rows = await connection.execute(query, {"topic": AccountState.TOPIC})
            return [(AccountState.model_validate(payload), version) for payload, version in rows]

    return published


@pytest.fixture
def publish(transact, clock):
    """Run the worker's command until the queue is empty."""

    async def publish():
        while await transact(publish_account_states, PublishAccountStates(clock, limit=3)):
            pass

    return publish


def figures_of(state):
    """Return figures as plain tuples."""
    return [(f.currency, str(f.trailing_revenue), str(f.open_pipeline)) for f in state.figures]


async def test_a_state_holds_the_trailing_year_and_the_open_pipeline_per_currency(
    transact, publish, published
):
    await transact(
        apply_facts,
        [
            recorded(
                fact("o1", occurred_at=A_MONDAY, amount="10.00"),
                fact("o2", occurred_at=A_MONDAY - timedelta(days=364), amount="1.00"),
                fact("o3", occurred_at=A_MONDAY - timedelta(days=365), amount="500.00"),
                fact("o4", occurred_at=A_MONDAY + timedelta(days=1), amount="500.00"),
                fact("o5", occurred_at=A_MONDAY, amount="700", currency="JPY"),
                fact("p1", kind="opportunity", stage="open", amount="3.000", currency="BHD"),
                fact("p2", kind="opportunity", stage="won", amount="9.00", currency="USD"),
                fact("l1", kind="lead"),
            )
        ],
    )
    await publish()
    ((state, version),) = await published()
    assert state.account_id == account_id_of("a1")
    assert (version, state.as_of) == (1, A_MONDAY)
    assert figures_of(state) == [("BHD", "0.000", "3.000"), ("JPY", "700", "0"), ("USD", "11.00", "0.00")]


async def test_republished_states_are_those_that_were_published(engine, transact, publish, published):
    """Worked out by SQL from what is kept, not by the code that first announced them."""
    yen = fact("o5", occurred_at=A_MONDAY, amount="700", currency="JPY")
    dinar = fact("p1", kind="opportunity", stage="open", amount="3.005", currency="BHD")
    euro = fact(occurred_at=A_MONDAY, account_external_id="a2", currency="EUR", amount="-12.30")
    await transact(apply_facts, [recorded(yen, dinar, euro)])
    await publish()
    await transact(apply_facts, [recorded({**euro.model_dump(), "revision": 2, "voided": True})])
    await publish()
    told = {state.account_id: (state, version) for state, version in await published()}
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox"))
    steps = [step async for step in republish(engine, ACCOUNT_FIGURES, source="/test")]
    assert steps == [Progress(2, 2)]
    assert {state.account_id: (state, version) for state, version in await published()} == told


async def test_only_a_change_is_published(transact, publish, published):
    await transact(apply_facts, [recorded(fact(occurred_at=A_MONDAY), fact("l", kind="lead"))])
    await publish()
    await transact(apply_facts, [recorded(fact("l2", kind="lead"), fact(occurred_at=A_MONDAY))])
    await publish()
    assert len(await published()) == 1
    await transact(apply_facts, [recorded(fact(revision=2, voided=True))])
    await publish()
    states = await published()
    assert [figures_of(state) for state, _ in states] == [[("USD", "100.00", "0.00")], []]
    assert [version for _, version in states] == [1, 2]


async def test_a_correction_to_another_account_changes_both(transact, publish, published):
    await transact(apply_facts, [recorded(fact(occurred_at=A_MONDAY))])
    await publish()
    moved = fact(revision=2, account_external_id="a2", occurred_at=A_MONDAY)
    await transact(apply_facts, [recorded(moved)])
    await publish()
    newest = {state.account_id: figures_of(state) for state, _ in await published()}
    assert newest == {account_id_of("a1"): [], account_id_of("a2"): [("USD", "100.00", "0.00")]}


async def test_time_alone_changes_a_state(transact, clock, publish, published):
    """An order leaves the trailing year, another's day arrives: nobody recorded a fact."""
    await transact(sweep_trailing_window, clock.now().date())
    await transact(
        apply_facts,
        [
            recorded(
                fact("leaves", occurred_at=A_MONDAY - timedelta(days=364), account_external_id="a1"),
                fact("arrives", occurred_at=A_MONDAY + timedelta(days=1), account_external_id="a2"),
                fact("stays", occurred_at=A_MONDAY, account_external_id="a3"),
            )
        ],
    )
    await publish()
    clock.advance(timedelta(days=1))
    await transact(sweep_trailing_window, clock.now().date())
    before = len(await published())
    await publish()
    later = {state.account_id: figures_of(state) for state, _ in (await published())[before:]}
    assert later == {account_id_of("a1"): [], account_id_of("a2"): [("USD", "100.00", "0.00")]}


async def test_workers_at_once_publish_the_newest_state_last(transact, clock, publish, published):
    """Facts of one account in many batches, three workers: the last state says it all."""

    async def record(partition):
        for n in range(15):
            await transact(
                apply_facts,
                [
                    recorded(
                        fact(f"o{partition}-{n}", occurred_at=A_MONDAY, amount="1.00"), partition=partition
                    )
                ],
            )

    async with asyncio.TaskGroup() as group:
        for partition in range(2):
            group.create_task(record(partition))
        for _ in range(20):
            group.create_task(transact(publish_account_states, PublishAccountStates(clock, limit=2)))
    await publish()
    states = await published()
    assert figures_of(states[-1][0]) == [("USD", "30.00", "0.00")]
    assert [version for _, version in states] == list(range(1, len(states) + 1))


async def test_a_worker_reads_clock_and_facts_only_once_it_holds_the_account(
    transact, clock, engine, publish, published
):
    """What it read while another worker publishes the same account would be old when its turn comes."""
    await transact(apply_facts, [recorded(fact("o1", occurred_at=A_MONDAY))])
    await publish()
    await transact(apply_facts, [recorded(fact("o2", occurred_at=A_MONDAY))])
    async with engine.begin() as other:
        await other.execute(text("SELECT 1 FROM account_states FOR UPDATE"))
        publishing = asyncio.create_task(transact(publish_account_states, PublishAccountStates(clock)))
        await eventually(lambda: is_waiting(engine))
        clock.advance(timedelta(minutes=1))
        await transact(apply_facts, [recorded(fact("o3", occurred_at=A_MONDAY))])
    await publishing
    state, _ = (await published())[-1]
    assert figures_of(state) == [("USD", "300.00", "0.00")]
    assert state.as_of == A_MONDAY + timedelta(minutes=1)


async def test_a_worker_that_began_first_and_publishes_last_tells_the_later_instant(
    transact, clock, engine, publish, published
):
    """Its state has the newer facts, so it may not look older than the one published in between."""
    await transact(apply_facts, [recorded(fact("o1", occurred_at=A_MONDAY))])
    await publish()
    elsewhere = fact("e", account_external_id="new", occurred_at=A_MONDAY)
    await transact(apply_facts, [recorded(fact("o2", occurred_at=A_MONDAY), elsewhere)])
    async with engine.connect() as other:
        # The first worker stops at an account that another transaction is adding.
        insert = text("INSERT INTO account_states (account_id) VALUES (:id)")
        await other.execute(insert, {"id": account_id_of("new")})
        first = asyncio.create_task(transact(publish_account_states, PublishAccountStates(clock)))
        await eventually(lambda: is_waiting(engine))
        clock.advance(timedelta(minutes=1))
        await transact(apply_facts, [recorded(fact("o3", occurred_at=A_MONDAY))])
        await transact(publish_account_states, PublishAccountStates(clock))
        await transact(apply_facts, [recorded(fact("o4", occurred_at=A_MONDAY))])
        await other.rollback()
    await first
    states = [state for state, _ in await published() if state.account_id == account_id_of("a1")]
    assert [figures_of(state)[0][1] for state in states] == ["100.00", "300.00", "400.00"]
    later = A_MONDAY + timedelta(minutes=1)
    assert [state.as_of for state in states] == [A_MONDAY, later, later]


async def test_a_worker_whose_clock_is_behind_does_not_date_a_state_back(transact, clock, publish, published):
    await transact(apply_facts, [recorded(fact("o1", occurred_at=A_MONDAY))])
    await publish()
    await transact(apply_facts, [recorded(fact("o2", occurred_at=A_MONDAY))])
    clock.advance(timedelta(seconds=-5))
    await publish()
    assert [state.as_of for state, _ in await published()] == [A_MONDAY, A_MONDAY]


async def is_waiting(engine):
    """Tell whether a session of this database waits for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as connection:
        return (await connection.execute(text(query))).scalar()


async def test_the_worker_publishes_until_it_is_stopped(transact, published):
    stopping = asyncio.Event()
    working = asyncio.create_task(work(transact, stopping))
    await transact(apply_facts, [recorded(fact(occurred_at=A_MONDAY))])
    await eventually(published)
    stopping.set()
    await working
