"""A publisher whose database was restored: its readers tell, drop nothing, and go on once its numbers are raised."""

import itertools
from functools import partial

import pytest

from shared.contracts.envelope import Envelope
from shared.kafka import cloudevents
from shared.messaging.batches import Batches
from shared.messaging.operations import restore_verbs
from shared.testing.waiting import eventually
from shared.uuid7 import uuid7_of
from tests.service.shared import toy
from tests.service.shared.batches import applied, place, record
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import AUDIT, PARKED, Operator

PLACE = place(toy.EVENTS)
SETTLE = PARKED[:2]


@pytest.fixture
def ledger():
    return toy.Ledger()


@pytest.fixture
async def batches(engine, clock, ledger):
    made = Batches(toy.READER, ledger.events(), engine=engine, clock=clock, source="/toy")
    await made.begin(PLACE, at=0)
    return made


@pytest.fixture
def operator(database, capsys):
    return Operator(database, None, capsys)


@pytest.fixture
def say(operator, ledger):
    return partial(operator.say, "dlq", consumers={toy.READER: [ledger.events()]})


def told(offset, version, millisecond):
    """Return a record of the lamp whose event was made at a millisecond."""
    event = toy.Happened(thing="lamp", number=millisecond)
    envelope = Envelope(
        id=str(uuid7_of(millisecond, 0)),
        source="/toy",
        type=event.TYPE,
        subject=event.key,
        aggregateversion=version,
    )
    return toy.with_headers(record(offset, event, version), list(cloudevents.encode(envelope)))


@pytest.fixture
async def diverged(batches):
    """Versions 1 to 3, then the publisher goes back to 1: two events under used numbers, one beyond."""
    await batches.apply(PLACE, [told(0, 1, 10), told(1, 2, 20), told(2, 3, 30)])
    outcome = await batches.apply(PLACE, [told(3, 2, 40), told(4, 3, 50), told(5, 4, 60)])
    assert (outcome.diverged, outcome.applied, outcome.duplicates, outcome.parked) == (1, 0, 0, 3)
    return batches


@pytest.mark.usefixtures("diverged")
async def test_divergent_events_are_kept_and_shown(say, query):
    assert await applied(query, "lamp") == [1, 2, 3]
    [waiting] = await say("list")
    assert (waiting["key"], waiting["reason"], waiting["records"]) == ("lamp", "diverged", 3)
    shown = await say("show", *PARKED)
    assert [row["error"] is None for row in shown] == [False, False, True]
    assert "applied before, of another event" in shown[0]["error"]


@pytest.mark.usefixtures("diverged")
async def test_a_replay_cannot_apply_them(say, operator, query):
    """Handlers keep versions, too: under its old number an event would be lost in there."""
    assert await say("replay", *PARKED) == []
    assert operator.status == 1
    assert "versions raise" in operator.refusal
    assert [row["records"] for row in await say("list")] == [3]


async def test_settled_keys_go_on_and_know_what_was_given_up(diverged, say, operator, query):
    [rehearsed] = await say("settle", *SETTLE, "--dry-run")
    assert (rehearsed["keys"], rehearsed["records"], rehearsed["replayed"]) == (1, 2, 1)
    assert await applied(query, "lamp") == [1, 2, 3]
    [done] = await say("settle", *SETTLE, "--as", "jane")
    assert (operator.status, done["records"], done["replayed"], done["left"]) == (0, 2, 1, [])
    assert await applied(query, "lamp") == [1, 2, 3, 4]
    assert await say("list") == []
    assert [row[:2] for row in await query(AUDIT)] == [("operator:jane", "events-dlq-settle")]
    outcome = await diverged.apply(PLACE, [told(6, 2, 40), told(7, 3, 50), told(8, 5, 70)])
    assert (outcome.diverged, outcome.duplicates, outcome.applied) == (0, 2, 1)


async def test_settling_leaves_what_is_refused_for_another_reason(diverged, say, operator, ledger, query):
    ledger.refuse = {"lamp"}
    [done] = await say("settle", *SETTLE)
    assert (operator.status, done["left"]) == (3, ["lamp"])
    [waiting] = await say("list")
    assert (waiting["reason"], waiting["records"], waiting["first_version"]) == ("failed", 1, 4)


async def test_what_a_release_without_ids_applied_is_no_divergence(batches, query):
    """Old and new consumers run side by side during an update: the old one moves the version alone."""
    await batches.apply(PLACE, [told(0, 1, 10)])
    await query("UPDATE consumer_watermarks SET version = 3")
    outcome = await batches.apply(PLACE, [told(1, 2, 20), told(2, 3, 30), told(3, 4, 40)])
    assert (outcome.diverged, outcome.duplicates, outcome.applied) == (0, 2, 1)
    outcome = await batches.apply(PLACE, [told(4, 4, 50)])
    assert outcome.diverged == 1


class Installation:
    """The toy service as publisher and reader, with an operator at its desk."""

    def __init__(self, operator, consumers, publish, query):
        self.operator, self.consumers, self.publish, self.query = operator, consumers, publish, query
        self._numbers = itertools.count(1)

    async def happen(self, *things):
        """Announce an event each; return what the ledger will call them."""
        events = [toy.Happened(thing=thing, number=next(self._numbers)) for thing in things]
        await self.publish(*events)
        return [str(event.number) for event in events]

    async def say(self, *words):
        return await self.operator.say(*words, consumers=self.consumers)

    async def sent(self):
        return await self.query("SELECT count(*) FROM outbox") == [(0,)]

    async def entered(self, thing):
        rows = await self.query("SELECT what FROM ledger WHERE key = :key ORDER BY entry", key=thing)
        return [what for (what,) in rows]


@pytest.fixture
def installation(database, topics, capsys, publish, query, ledger, monkeypatch):
    monkeypatch.setattr(restore_verbs, "counted_topics", lambda _: [toy.EVENTS])
    consumers = {toy.READER: [ledger.events()]}
    return Installation(Operator(database, topics, capsys), consumers, publish, query)


async def test_after_a_restore_and_a_raise_everything_is_applied(
    installation, relaying, consumer, ledger, query
):
    async def waits(*reasons):
        return await query("SELECT reason FROM parked_keys ORDER BY 1") == [(r,) for r in reasons]

    async def has_entered(thing, whats):
        return await installation.entered(thing) == whats

    async with relaying(), until_left(consumer(ledger.events()).run):
        known = await installation.happen("lamp", "lamp", "lamp", "chair")
        await eventually(lambda: has_entered("lamp", known[:3]))
        assert await installation.say("versions", "compare") == []
        assert installation.operator.status == 0
        # What a backup of a moment ago holds.
        await query("UPDATE aggregate_versions SET last_version = 1 WHERE aggregateid = 'lamp'")
        await query("DELETE FROM aggregate_versions WHERE aggregateid = 'chair'")
        lost = await installation.happen("lamp")
        await eventually(lambda: waits("diverged"))
        lag = await installation.say("lag")
        assert [row["diverged_keys"] for row in lag if row["about"] == "consumer"] == [1]
        behind = await installation.say("versions", "compare")
        assert installation.operator.status == 3
        columns = ("database", "log", "forgotten", "to_tell_anew")
        assert {row["key"]: tuple(row[c] for c in columns) for row in behind} == {
            "chair": (0, 1, 1, 0),
            "lamp": (2, 3, 1, 1),
        }
        [rehearsed] = await installation.say("versions", "raise", "--dry-run")
        assert (rehearsed["keys"], rehearsed["told_anew"], rehearsed["dry_run"]) == (2, 1, True)
        assert await installation.say("versions", "compare") == behind
        [raised] = await installation.say("versions", "raise", "--as", "jane")
        assert (raised["keys"], raised["told_anew"]) == (2, 1)
        await eventually(installation.sent)
        assert await installation.say("versions", "compare") == []
        assert await query(AUDIT) == [("operator:jane", "events-versions-raise", {toy.EVENTS: "2"})]
        later = await installation.happen("lamp", "chair")
        await installation.say("dlq", "settle", *SETTLE)
        await eventually(lambda: has_entered("lamp", [*known[:3], *lost, later[0]]))
        await eventually(lambda: has_entered("chair", [known[3], later[1]]))
        assert await waits()


async def test_what_waits_to_be_told_anew_is_not_told_twice(installation, relaying, query):
    await installation.happen("lamp", "lamp")
    async with relaying():
        await eventually(installation.sent)
        await query("UPDATE aggregate_versions SET last_version = 1")
        await installation.happen("lamp")
        await eventually(installation.sent)
    [first] = await installation.say("versions", "raise")
    [second] = await installation.say("versions", "raise")
    assert (first["told_anew"], second["told_anew"]) == (1, 0)
    assert await query("SELECT aggregateversion FROM outbox") == [(3,)]
