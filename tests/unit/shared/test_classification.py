"""The decision what to do with a record, under every delivery that Kafka may make of a log."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Envelope
from shared.kafka.records import IncomingRecord
from shared.messaging.classification import KeyState, ParkReason, classify, poisoned, told_before
from shared.messaging.decoding import Decoded, PassedOver, Stage, Unreadable
from shared.messaging.divergence import KnownIds
from shared.messaging.received import Tombstone
from shared.uuid7 import uuid7_of

KEYS = "ab"


def event(offset, key, version, content=None):
    record = IncomingRecord("t", 0, offset, key.encode(), b"", ())
    envelope = Envelope(id="1", source="/s", type="t", aggregateversion=version)
    return Decoded(record, key, version, content or Tombstone(envelope, "t", 0, offset, key))


CLOCKS = st.lists(st.integers(-40, 40), min_size=9, max_size=9)
"""How far the clock is off, in milliseconds, that each version's id is made by; versions are told ten apart."""


def told_by(clocks, deliveries):
    """Return a log of events whose ids tell time, by clocks that differ; a repeat has the id of the first."""
    return [
        told_at(offset, version, 1_000 + 10 * version + clocks[version - 1], key)
        for offset, (key, version) in enumerate(deliveries)
    ]


class Store:
    """What Postgres remembers between batches, in memory."""

    def __init__(self):
        self.seen, self.parked, self.queue, self.ids, self.applied = {}, {}, {}, {}, []

    def apply(self, batch, order="dense"):
        states = {
            key: KeyState(self.seen.get(key, 0), self.parked.get(key), dict(self.queue.get(key, {})))
            for key in self.seen.keys() | self.parked.keys()
        }
        for key, state in told_before(batch, states).items():
            state.ids = replace(self.ids.get(key, KnownIds()))
        plan = classify(batch, states, order)
        self.applied += [(d.key, d.version) for d in plan.apply]
        for key, state in plan.states.items():
            self.seen[key], self.parked[key] = state.seen, state.parked
            if state.moved:
                self._identify(key, state.ids)
            waiting = {
                **self.queue.get(key, {}),
                **{d.version: d for d in plan.park.values() if d.key == key},
            }
            self.queue[key] = {v: d for v, d in waiting.items() if v > state.seen}
        return plan

    def _identify(self, key, ids):
        known = self.ids.get(key, KnownIds()).highest
        highest = max(filter(None, (known, ids.highest)), default=None)
        self.ids[key] = KnownIds(ids.last, highest)

    def versions(self, key):
        return [version for applied, version in self.applied if applied == key]


@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 6)), max_size=40),
    st.lists(st.integers(1, 7), min_size=1, max_size=8),
    CLOCKS,
)
def test_dense_versions_are_applied_once_in_order_whatever_is_repeated_reordered_or_lost(
    deliveries, sizes, clocks
):
    store, at = Store(), 0
    log = told_by(clocks, deliveries)
    for turn in range(len(log)):
        size = sizes[turn % len(sizes)]
        store.apply(log[at : at + size])
        at += size
    for key in KEYS:
        delivered = {version for found, version in deliveries if found == key}
        dense = [v for v in range(1, 7) if delivered.issuperset(range(1, v + 1))]
        assert store.versions(key) == dense
        waits = delivered - set(dense)
        assert set(store.queue.get(key, {})) == waits
        assert (store.parked.get(key) is ParkReason.GAP) == bool(waits)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 9)), max_size=30), st.integers(1, 5), CLOCKS)
def test_rising_versions_end_at_the_highest_and_never_fall(deliveries, size, clocks):
    store = Store()
    log = told_by(clocks, deliveries)
    for at in range(0, len(log), size):
        plan = store.apply(log[at : at + size], "rising")
        assert max(Counter(d.key for d in plan.apply).values(), default=1) == 1
    for key in KEYS:
        delivered = [version for found, version in deliveries if found == key]
        assert store.versions(key) == sorted(store.versions(key))
        assert store.versions(key)[-1:] == [max(delivered)][: len(delivered)] if delivered else True


def test_a_refused_event_stops_its_key_only():
    log = [event(0, "a", 1), event(1, "a", 2), event(2, "b", 1), event(3, "a", 3)]
    plan = classify(poisoned(log, {1: ValueError("no")}), {}, "dense")
    assert [(d.key, d.version) for d in plan.apply] == [("a", 1), ("b", 1)]
    assert [letter.decoded.record.offset for letter in plan.dead] == [1]
    assert set(plan.park) == {1, 3}
    assert plan.states["a"].parked is ParkReason.FAILED


def test_a_failed_key_does_not_heal_by_itself():
    store = Store()
    store.apply(poisoned([event(0, "a", 1)], {0: ValueError("no")}))
    store.apply([event(1, "a", 2), event(2, "a", 1)])
    assert store.applied == []
    assert set(store.queue["a"]) == {1, 2}


def test_a_type_nobody_handles_moves_the_version():
    passed = PassedOver(Envelope(id="1", source="/s", type="t"))
    plan = classify([event(0, "a", 1, passed), event(1, "a", 2)], {}, "dense")
    assert [d.version for d in plan.apply] == [2]


def test_a_newer_state_heals_what_an_older_one_broke():
    broken = SimpleNamespace(content=Unreadable(ValueError("x"), Stage.VALUE))
    plan = classify([event(0, "a", 1, broken.content), event(1, "a", 2)], {}, "rising")
    assert [d.version for d in plan.apply] == [2]
    assert plan.states["a"].parked is None
    assert plan.states["a"].has_waited


def uuid7(millisecond):
    """Return the id of an event made at a millisecond, as text."""
    return str(uuid7_of(millisecond, 0))


def told_at(offset, version, millisecond, key="a"):
    return replace(event(offset, key, version), event_id=uuid7(millisecond))


def applied_up_to(*milliseconds):
    """Return what is known after versions 1, 2, 3 of the key, told at these milliseconds."""
    plan = classify([told_at(n, n + 1, at) for n, at in enumerate(milliseconds)], {}, "dense")
    return {"a": replace(plan.states["a"], changed=False)}


def test_an_event_made_after_all_that_was_applied_is_no_repeat():
    plan = classify([told_at(3, 2, 40)], applied_up_to(10, 20, 30), "dense")
    assert (plan.diverged, plan.duplicates, plan.apply) == (1, 0, [])
    assert plan.states["a"].parked is ParkReason.DIVERGED
    assert list(plan.park) == [3]


def test_a_repeat_is_no_news_whatever_clocks_do():
    """After a failover to a host whose clock is behind, the last event has not the highest id."""
    states = applied_up_to(10, 9_000, 30)
    plan = classify([told_at(3, 1, 10), told_at(4, 2, 9_000), told_at(5, 3, 30)], states, "dense")
    assert (plan.diverged, plan.duplicates) == (0, 3)


def test_another_event_under_the_last_version_is_found_also_when_its_clock_is_behind():
    plan = classify([told_at(3, 3, 25)], applied_up_to(10, 20, 30), "dense")
    assert (plan.diverged, plan.duplicates) == (1, 0)


def test_all_that_follows_a_divergent_event_waits_in_the_order_of_the_log():
    later = [told_at(3, 2, 40), told_at(4, 3, 41), told_at(5, 4, 42), told_at(6, 2, 40)]
    plan = classify([*later, told_at(7, 1, 43, key="b")], applied_up_to(10, 20, 30), "dense")
    assert (plan.diverged, [d.key for d in plan.apply]) == (1, ["b"])
    assert list(plan.park) == [3, 4, 5, 6]
    assert [d.record.offset for d in plan.divergent] == [3, 4, 6]
    assert plan.states["a"].seen == 3


def test_of_two_events_that_wait_under_one_version_none_is_dropped():
    states = applied_up_to(10)
    plan = classify([told_at(1, 3, 30), told_at(2, 3, 30), told_at(3, 3, 50)], states, "dense")
    assert (plan.gaps, plan.duplicates, plan.diverged) == (1, 1, 1)
    assert list(plan.park) == [1, 3]


def test_ids_that_tell_no_time_are_told_by_their_versions_alone():
    plan = classify([event(3, "a", 2)], applied_up_to(10, 20, 30), "dense")
    assert (plan.diverged, plan.duplicates) == (0, 1)
    unknown = {"a": KeyState(3)}
    assert classify([told_at(3, 3, 99)], unknown, "dense").duplicates == 1


def test_a_state_of_a_publisher_that_went_back_waits_until_a_newer_one_comes():
    states = applied_up_to(10, 20, 30)
    plan = classify([told_at(3, 2, 40)], states, "rising")
    assert (plan.diverged, plan.states["a"].parked) == (1, ParkReason.DIVERGED)
    healed = classify([told_at(4, 5, 50)], plan.states, "rising")
    assert (healed.states["a"].parked, healed.states["a"].seen) == (None, 5)


def test_a_state_told_once_more_at_its_version_is_no_news():
    """`state republish` gives it another id."""
    plan = classify([told_at(3, 3, 40)], applied_up_to(10, 20, 30), "rising")
    assert (plan.diverged, plan.duplicates) == (0, 1)
