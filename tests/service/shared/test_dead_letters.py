"""What an operator does about parked keys."""

from collections import Counter

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.batches import Batches
from shared.messaging.operations import dead_letters
from tests.service.shared import toy
from tests.service.shared.batches import applied, place, record
from tests.service.shared.operators import AUDIT, PARKED

PLACE = place(toy.EVENTS)


@pytest.fixture
async def parked(batches, ledger):
    """Versions 1 to 3 of the lamp, the first refused."""
    ledger.refuse = {"lamp"}
    await batches.apply(PLACE, [record(n, toy.Happened(thing="lamp", number=n), n + 1) for n in range(3)])
    return batches


async def test_replay_applies_in_order_and_lets_the_key_go(parked, say, operator, ledger, query):
    [waiting] = await say("list")
    assert (waiting["key"], waiting["reason"], waiting["records"]) == ("lamp", "failed", 3)
    ledger.refuse = set()
    [done] = await say("replay", *PARKED, "--as", "jane")
    assert (operator.status, done["records"]) == (0, 3)
    assert await applied(query, "lamp") == [1, 2, 3]
    assert await say("list") == []
    assert await query("SELECT 1 FROM parked_keys") == []
    [(actor, operation, what)] = await query(AUDIT)
    assert (actor, operation) == ("operator:jane", "events-dlq-replay")
    assert what == {"consumer": toy.READER, "topic": toy.EVENTS, "key": "lamp"}
    await parked.apply(PLACE, [record(3, toy.Happened(thing="lamp", number=4), 4)])
    assert await applied(query, "lamp") == [1, 2, 3, 4]


@pytest.mark.usefixtures("parked")
async def test_a_replay_that_fails_changes_nothing(say, operator, query):
    assert await say("replay", *PARKED) == []
    assert operator.status == 1
    assert "cannot cope" in operator.refusal
    assert await applied(query, "lamp") == []
    assert [waiting["records"] for waiting in await say("list")] == [3]
    assert await query(AUDIT) == []


@pytest.mark.usefixtures("parked")
async def test_a_dry_run_replays_and_takes_it_back(say, ledger, query):
    ledger.refuse = set()
    [done] = await say("replay", *PARKED, "--dry-run")
    assert (done["records"], done["dry_run"]) == (3, True)
    assert await applied(query, "lamp") == []
    assert [waiting["records"] for waiting in await say("list")] == [3]
    assert await query(AUDIT) == []


@pytest.mark.usefixtures("parked")
async def test_discard_gives_up_the_refused_record_and_goes_on(say, operator, ledger, query):
    ledger.refuse = set()
    [done] = await say("discard", *PARKED)
    assert (operator.status, done["records"], done["replayed"]) == (0, 1, 2)
    assert await applied(query, "lamp") == [2, 3]
    assert await say("list") == []
    [(_, operation, what)] = await query(AUDIT)
    assert (operation, what["offsets"], "reason" in what) == ("events-dlq-discard", "0", False)


@pytest.mark.usefixtures("parked")
async def test_what_was_discarded_stays_so_when_the_next_is_refused_too(say, operator, query):
    [done] = await say("discard", *PARKED)
    assert (operator.status, done["records"], done["replayed"]) == (3, 1, 0)
    assert "cannot cope" in done["refused"]
    assert await applied(query, "lamp") == []
    [waiting] = await say("list")
    assert (waiting["first_version"], waiting["records"]) == (2, 2)


async def test_what_a_refused_handler_had_announced_is_not_sent(batches, say, ledger, query):
    echoing = toy.Subscription(toy.EVENTS, {toy.Happened: ledger.echo})
    refusing = Batches(toy.READER, echoing, engine=batches.engine, clock=batches.clock, source=batches.source)
    ledger.refuse = {"lamp"}
    await refusing.apply(PLACE, [record(n, toy.Happened(thing="lamp", number=n), n + 1) for n in range(2)])
    await say("discard", *PARKED)
    assert await query("SELECT 1 FROM outbox WHERE aggregatetype = :topic", topic=toy.ECHOES) == []


async def test_discard_accepts_the_loss_of_versions_that_never_came(batches, say, query):
    await batches.apply(PLACE, [record(0, toy.Happened(thing="lamp", number=5), 5)])
    [waiting] = await say("list")
    assert (waiting["reason"], waiting["missing"]) == ("gap", "1 to 4")
    [done] = await say("discard", *PARKED, "--reason", "lost with the old cluster")
    assert (done["records"], done["versions"], done["missing"]) == (0, "1 to 4", None)
    assert await applied(query, "lamp") == [5]
    assert await say("list") == []
    [(_, _, what)] = await query(AUDIT)
    assert (what["versions"], what["reason"]) == ("1 to 4", "lost with the old cluster")


async def test_a_replay_of_a_gap_tells_what_the_key_still_waits_for(batches, say, operator, query):
    numbers = [(0, 1), (1, 4), (2, 6)]
    await batches.apply(PLACE, [record(o, toy.Happened(thing="lamp", number=n), n) for o, n in numbers])
    for words in (("--dry-run",), ()):
        [done] = await say("replay", *PARKED, *words)
        assert (operator.status, done["records"], done["missing"]) == (3, 0, "2 to 3")
    [done] = await say("discard", *PARKED)
    assert (operator.status, done["versions"], done["replayed"], done["missing"]) == (3, "2 to 3", 1, "5")
    assert await applied(query, "lamp") == [1, 4]


async def test_an_unreadable_event_is_kept_for_a_release_that_reads_it(batches, say):
    await batches.apply(PLACE, [record(0, toy.Happened(thing="lamp", number=1), 1, value=b"{}")])
    [shown] = await say("show", *PARKED)
    assert (shown["value"], shown["version"]) == ("{}", 1)
    assert "Field required" in shown["error"]


async def test_what_is_no_json_is_told_without_a_field(batches, say):
    await batches.apply(PLACE, [record(0, toy.Happened(thing="lamp", number=1), 1, value=b"no JSON")])
    [shown] = await say("show", *PARKED)
    assert shown["error"].startswith("Invalid JSON")


async def test_nothing_is_shown_of_what_is_not_read_here(say, operator):
    for names, told in (
        (("no.such", toy.EVENTS), "there are"),
        ((toy.READER, "no.topic"), f"reads {toy.EVENTS}"),
    ):
        assert await say("show", *names, "lamp") == []
        assert operator.status == 1
        assert told in operator.refusal
    assert await say("show", *PARKED) == []
    assert operator.status == 0


async def test_missing_rights_are_no_outage(parked, database, say, operator):
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(f"REVOKE SELECT ON {database.service}.parked_keys FROM {database.service}_app")
    await owner.close()
    assert await say("list") == []
    assert operator.status == 1
    assert "lacks a right: permission denied for table parked_keys" in operator.refusal


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [("password", "wr0ng", "refuses the login"), ("database", "missing", "has no such database")],
)
async def test_a_wrong_address_is_no_outage(database, say, operator, part, value, told):
    address = make_url(database.app_url).set(**{part: value}).render_as_string(hide_password=False)
    operator.settings = operator.settings.model_copy(update={"database_url": SecretStr(address)})
    assert await say("list") == []
    assert operator.status == 1
    host = make_url(database.app_url)
    assert f"Postgres at {host.host}:{host.port} {told}" in operator.refusal
    assert "wr0ng" not in operator.refusal


async def test_operators_have_the_limits_of_consumers(parked, say, operator, ledger):
    """One event may restate years; a request's limit would keep its key parked for ever."""
    found = {}

    async def look(received, uow):
        for name in ("statement_timeout", "plan_cache_mode"):
            found[name] = (await uow.connection.exec_driver_sql(f"SHOW {name}")).scalar_one()

    ledger.enter = look
    await say("replay", *PARKED)
    assert operator.status == 0
    assert found == {"statement_timeout": "5min", "plan_cache_mode": "force_custom_plan"}


@pytest.fixture
async def long_queue(batches, ledger, monkeypatch):
    """Versions 1 to 7 of the lamp, the first refused, for operators who take three at a time."""
    monkeypatch.setattr(dead_letters, "CHUNK", 3)
    ledger.refuse = {"lamp"}
    await batches.apply(PLACE, [record(n, toy.Happened(thing="lamp", number=n), n + 1) for n in range(7)])
    ledger.refuse = set()
    return batches


@pytest.fixture
def transactions(ledger):
    """Which transaction applied each version, in their order."""
    plain, found = ledger.enter, []

    async def enter(received, uow):
        await plain(received, uow)
        at = (await uow.connection.exec_driver_sql("SELECT pg_current_xact_id()::text")).scalar_one()
        found.extend([at] * len(received))

    ledger.enter = enter
    return lambda: sorted(Counter(found).values())


@pytest.mark.usefixtures("long_queue")
async def test_a_long_queue_is_replayed_a_part_at_a_time(say, operator, query, transactions):
    [done] = await say("replay", *PARKED)
    assert (operator.status, done["records"], done["refused"]) == (0, 7, None)
    assert await applied(query, "lamp") == [1, 2, 3, 4, 5, 6, 7]
    assert transactions() == [1, 3, 3]
    assert [operation for _, operation, _ in await query(AUDIT)] == ["events-dlq-replay"] * 3
    assert await say("list") == []
    assert await query("SELECT 1 FROM parked_keys") == []


async def test_between_the_parts_the_consumer_queues_behind(long_queue, query, ledger):
    async with long_queue.engine.begin() as connection:
        uow = UnitOfWork(connection, long_queue.clock.now(), "operator:jane", Outbox(source="/toy"))
        assert await dead_letters.replay(long_queue, "lamp", uow) == dead_letters.Replayed(3, more=True)
    outcome = await long_queue.apply(PLACE, [record(7, toy.Happened(thing="lamp", number=8), 8)])
    assert (outcome.applied, outcome.parked) == (0, 1)
    assert await applied(query, "lamp") == [1, 2, 3]


@pytest.mark.usefixtures("long_queue")
async def test_a_dry_run_of_a_long_queue_takes_all_of_it_back(say, query, transactions):
    [done] = await say("replay", *PARKED, "--dry-run")
    assert (done["records"], transactions()) == (7, [7])
    assert await applied(query, "lamp") == []
    assert [waiting["records"] for waiting in await say("list")] == [7]


@pytest.mark.usefixtures("long_queue")
async def test_what_a_later_part_refuses_is_left(say, operator, ledger, query):
    plain = ledger.enter

    async def enter(received, uow):
        await plain(received, uow)
        if any(each.version == 5 for each in received):
            raise toy.Bug("not this one")

    ledger.enter = enter
    [done] = await say("replay", *PARKED)
    assert (operator.status, done["records"]) == (3, 3)
    assert "not this one" in done["refused"]
    assert await applied(query, "lamp") == [1, 2, 3]
    assert [(row["reason"], row["records"]) for row in await say("list")] == [("failed", 4)]


@pytest.mark.usefixtures("long_queue")
async def test_discard_goes_on_with_a_long_queue(say, operator, query, transactions):
    [done] = await say("discard", *PARKED)
    assert (operator.status, done["records"], done["replayed"]) == (0, 1, 6)
    assert await applied(query, "lamp") == [2, 3, 4, 5, 6, 7]
    assert transactions() == [3, 3]
    assert await say("list") == []


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("no.such.consumer", toy.EVENTS, "lamp"), f"there are {toy.READER}"),
        ((toy.READER, toy.STATES, "lamp"), f"it reads {toy.EVENTS}"),
        ((toy.READER, toy.EVENTS, "nothing"), "nothing of nothing is parked"),
    ],
)
async def test_what_cannot_be_replayed_is_refused_with_what_can(say, operator, names, told):
    for verb in ("replay", "discard"):
        assert await say(verb, *names) == []
        assert operator.status == 1
        assert told in operator.refusal
