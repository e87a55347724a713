"""A publisher whose database was restored: its readers tell, drop nothing, and go on once its numbers are raised."""

import itertools

import pytest

from shared.contracts.envelope import Envelope
from shared.db.states import StateTopic
from shared.kafka import cloudevents
from shared.messaging.operations import restore_verbs, versions
from shared.testing.waiting import eventually
from shared.uuid7 import uuid7_of
from tests.service.shared import toy
from tests.service.shared.batches import applied, place, record
from tests.service.shared.conftest import until_left
from tests.service.shared.operators import AUDIT, PARKED, Operator

PLACE = place(toy.EVENTS)
SETTLE = PARKED[:2]


def id_of(millisecond):
    return str(uuid7_of(millisecond, 0))


def told(offset, version, millisecond, *, retells=None):
    """Return a record of the lamp whose event was made at a millisecond; `retells` is another such moment."""
    event = toy.Happened(thing="lamp", number=millisecond)
    envelope = Envelope(
        id=id_of(millisecond),
        source="/toy",
        type=event.TYPE,
        subject=event.key,
        aggregateversion=version,
    )
    more = [] if retells is None else [("ce_retells", id_of(retells).encode())]
    return toy.with_headers(record(offset, event, version), [*cloudevents.encode(envelope), *more])


@pytest.fixture
async def diverged(batches):
    """Versions 1 to 3, then the publisher goes back to 1: two events under used numbers, one beyond."""
    await batches.apply(PLACE, [told(0, 1, 10), told(1, 2, 20), told(2, 3, 30)])
    outcome = await batches.apply(PLACE, [told(3, 2, 40), told(4, 3, 50), told(5, 4, 60)])
    assert (outcome.diverged, outcome.applied, outcome.duplicates, outcome.parked) == (1, 0, 0, 3)
    return batches


@pytest.fixture
async def told_anew(diverged):
    """The publisher has told the two once more; beside them waits a repeat of what was applied."""
    await diverged.apply(PLACE, [told(6, 2, 20), told(7, 5, 70, retells=40), told(8, 6, 80, retells=50)])
    return diverged


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


async def test_settled_keys_go_on_and_know_what_was_given_up(told_anew, say, operator, query):
    [rehearsed] = await say("settle", *SETTLE, "--dry-run")
    assert (rehearsed["keys"], rehearsed["records"], rehearsed["replayed"]) == (1, 3, 3)
    assert await applied(query, "lamp") == [1, 2, 3]
    [done] = await say("settle", *SETTLE, "--as", "jane")
    assert (operator.status, done["records"], done["replayed"]) == (0, 3, 3)
    assert (done["left"], done["untold"]) == ([], [])
    assert await applied(query, "lamp") == [1, 2, 3, 4, 5, 6]
    assert await say("list") == []
    assert [row[:2] for row in await query(AUDIT)] == [("operator:jane", "events-dlq-settle")]
    outcome = await told_anew.apply(PLACE, [told(9, 2, 40), told(10, 3, 50), told(11, 7, 90)])
    assert (outcome.diverged, outcome.duplicates, outcome.applied) == (0, 2, 1)


@pytest.mark.usefixtures("told_anew")
async def test_settling_leaves_what_is_refused_for_another_reason(say, operator, ledger):
    ledger.refuse = {"lamp"}
    [done] = await say("settle", *SETTLE)
    assert (operator.status, done["left"]) == (3, ["lamp"])
    [waiting] = await say("list")
    assert (waiting["reason"], waiting["records"], waiting["first_version"]) == ("failed", 3, 4)


async def test_what_nobody_told_anew_is_not_settled(diverged, say, operator, query):
    """Given up, it would be lost without an alarm: one of the two has not come again yet."""
    await diverged.apply(PLACE, [told(6, 5, 70, retells=40)])
    [done] = await say("settle", *SETTLE)
    assert (operator.status, done["records"], done["left"], done["untold"]) == (3, 0, [], ["lamp"])
    assert [(row["reason"], row["records"]) for row in await say("list")] == [("diverged", 4)]
    assert (await applied(query, "lamp"), await query(AUDIT)) == ([1, 2, 3], [])
    [done] = await say("settle", *SETTLE, "--accept-loss")
    assert (operator.status, done["records"], done["replayed"], done["untold"]) == (0, 2, 2, [])
    assert await applied(query, "lamp") == [1, 2, 3, 4, 5]
    [(_, _, what)] = await query(AUDIT)
    assert what["accept_loss"] == "true"


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

    async def become(self, thing):
        """Announce a state of its own number; return what the ledger will call it."""
        state = toy.ThingState(thing=thing, number=next(self._numbers))
        await self.publish(state)
        return str(state.number)

    async def say(self, *words, states=()):
        return await self.operator.say(*words, consumers=self.consumers, states=states)

    async def sent(self):
        return await self.query("SELECT count(*) FROM outbox") == [(0,)]

    async def entered(self, thing):
        rows = await self.query("SELECT what FROM ledger WHERE key = :key ORDER BY entry", key=thing)
        return [what for (what,) in rows]


@pytest.fixture
def installation(database, topics, capsys, publish, query, ledger, monkeypatch):
    monkeypatch.setattr(versions, "PUBLISHED", {toy.SERVICE: (toy.Happened, toy.ThingState, toy.Fact)})
    consumers = {toy.READER: [ledger.events(), ledger.states()]}
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
        assert [row["diverged_keys"] for row in lag if row["about"] == "consumer"] == [1, 0]
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

        async def settled():
            [done] = await installation.say("dlq", "settle", *SETTLE)
            return done["untold"] == []

        await eventually(settled)
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


async def test_nothing_is_raised_while_rows_of_its_keys_wait(installation, relaying, consumer, ledger, query):
    """What is told anew would come after them, though it happened before."""

    async def has_entered(whats):
        return await installation.entered("lamp") == whats

    async def diverged():
        return await query("SELECT reason FROM parked_keys") == [("diverged",)]

    async def settled():
        [done] = await installation.say("dlq", "settle", *SETTLE)
        return done["untold"] == [] and installation.operator.status == 0

    async with until_left(consumer(ledger.events()).run):
        async with relaying():
            known = await installation.happen("lamp", "lamp", "lamp")
            await eventually(lambda: has_entered(known))
            await query("UPDATE aggregate_versions SET last_version = 2")
            lost = await installation.happen("lamp")
            await eventually(diverged)
        newest = await installation.happen("lamp")
        for more in ((), ("--dry-run",)):
            assert await installation.say("versions", "raise", *more) == []
            assert installation.operator.status == 1
            assert "1 rows of 1 keys" in installation.operator.refusal
            assert "let the relay empty the outbox" in installation.operator.refusal
        assert await query("SELECT last_version FROM aggregate_versions") == [(4,)]
        async with relaying():
            await eventually(installation.sent)
            [raised] = await installation.say("versions", "raise")
            assert raised["told_anew"] == 2
            await eventually(installation.sent)
            await eventually(settled)
            await eventually(lambda: has_entered([*known, *newest, *lost, *newest]))
            assert await installation.say("versions", "compare") == []


async def test_nothing_is_raised_that_went_on_while_the_log_was_compared(
    installation, relaying, query, monkeypatch
):
    find = restore_verbs.find_behind

    async def and_meanwhile(*arguments):
        found = await find(*arguments)
        await installation.happen("lamp")
        await eventually(installation.sent)
        return found

    async with relaying():
        await installation.happen("lamp", "lamp")
        await eventually(installation.sent)
        await query("UPDATE aggregate_versions SET last_version = 1")
        monkeypatch.setattr(restore_verbs, "find_behind", and_meanwhile)
        assert await installation.say("versions", "raise") == []
        assert installation.operator.status == 1
        assert "Stop what writes" in installation.operator.refusal
    assert await query("SELECT last_version FROM aggregate_versions") == [(2,)]


# Numbered by their own topic, as account states of metrics are.
OWN_STATES = StateTopic(
    toy.ThingState, toy.STATES, "SELECT jsonb_build_object('thing', k.key, 'number', 99) AS payload"
)


@pytest.mark.parametrize("ran_before", [False, True])
async def test_states_that_count_by_themselves_get_through_after_a_raise(
    installation, relaying, consumer, ledger, query, ran_before
):
    async def has_entered(whats):
        return await installation.entered("lamp") == whats

    async with relaying(), until_left(consumer(ledger.states()).run):
        known = []
        for _ in range(3):
            known.append(await installation.become("lamp"))
            await eventually(lambda: has_entered(known))
        await query("UPDATE aggregate_versions SET last_version = 2")
        if ran_before:
            # Version 3 again: readers take it for a repeat.
            await installation.become("lamp")
            await eventually(installation.sent)
        [behind] = await installation.say("versions", "compare")
        assert (installation.operator.status, behind["topic"], behind["log"]) == (3, toy.STATES, 3)
        [raised] = await installation.say("versions", "raise")
        assert (raised["keys"], raised["told_anew"]) == (1, 0)
        assert await query("SELECT last_version FROM aggregate_versions") == [(4,)]
        assert await installation.say("versions", "compare") == []
        for _ in range(2):
            await installation.say("state", "republish", toy.STATES, states=[OWN_STATES])
            await eventually(installation.sent)
        await eventually(lambda: has_entered([*known, "99"]))
        assert await installation.say("versions", "compare") == []
        known += ["99", await installation.become("lamp")]
        await eventually(lambda: has_entered(known))


async def test_states_with_the_numbers_of_events_go_up_with_these(monkeypatch):
    borrowed = StateTopic(toy.ThingState, toy.EVENTS, "SELECT NULL::jsonb AS payload")
    monkeypatch.setattr(versions, "PUBLISHED", {toy.SERVICE: (toy.Happened, toy.ThingState, toy.Fact)})
    assert versions.counted_topics(toy.SERVICE, [borrowed]) == {toy.EVENTS: "dense"}
    assert versions.counted_topics(toy.SERVICE, [OWN_STATES]) == {toy.EVENTS: "dense", toy.STATES: "rising"}


async def test_states_of_events_that_were_told_anew_get_through(
    installation, relaying, consumer, ledger, query
):
    """They have the numbers of events, and cannot be raised by themselves."""
    counted = "SELECT jsonb_build_object('thing', k.key, 'number', v.last_version) AS payload"
    borrowed = [StateTopic(toy.ThingState, toy.EVENTS, counted)]

    async def republish():
        await installation.say("state", "republish", toy.STATES, states=borrowed)
        await eventually(installation.sent)

    async def has_entered(whats):
        return await installation.entered("lamp") == whats

    async with relaying(), until_left(consumer(ledger.states()).run):
        await installation.happen("lamp", "lamp")
        await republish()
        await eventually(lambda: has_entered(["2"]))
        await query("UPDATE aggregate_versions SET last_version = 1")
        await installation.happen("lamp")
        await republish()
        [raised] = await installation.say("versions", "raise", states=borrowed)
        assert (raised["keys"], raised["told_anew"]) == (1, 1)
        await eventually(installation.sent)
        await republish()
        await eventually(lambda: has_entered(["2", "3"]))
        assert await installation.say("versions", "compare", states=borrowed) == []
