"""A policy, written, published and acknowledged as hypothesis likes, with a clock that only it moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.collab.policies.policy import Audience, Draft, Policy, PolicyVersion
from services.collab.policies.refusals import (
    EffectiveTooEarly,
    NothingToPublish,
    OtherText,
    VersionReplaced,
)
from shared.runtime.refusals import NotFound

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_fingerprint_is_of_title_and_text_and_nothing_else():
    r"""Golden value: printf 'Calls\nAnswer within a day.' | sha256sum."""
    version = PolicyVersion(1, "Calls", "Answer within a day.", Audience(), MONDAY)
    assert version.fingerprint == "627698eef021b6522858278c4474c95ca4997c2d5f97daecc97c79f801481849"
    later = PolicyVersion(2, "Calls", "Answer within a day.", Audience(("primary",)), MONDAY)
    assert later.fingerprint == version.fingerprint


@pytest.mark.parametrize("version", [0, 1, 2])
def test_what_was_not_published_cannot_be_acknowledged(version: int):
    with pytest.raises(NotFound):
        Policy(draft=Draft("x", "y", Audience())).require_acknowledgeable(version, "", MONDAY)


def test_a_version_is_acknowledged_until_the_next_takes_effect():
    policy, versions = Policy(), []
    for text, days in (("one", 0), ("two", 7), ("instead of two", 7), ("three", 14)):
        draft = Draft("x", text, Audience(), MONDAY + timedelta(days=days))
        policy, version = policy.write(draft).publish(MONDAY)
        versions.append(version)

    def standing(days: int) -> list[int]:
        return [one.version for one in policy.standing(MONDAY + timedelta(days=days))]

    # The second never takes effect: the third takes its place at the same moment.
    assert (standing(0), standing(6), standing(7), standing(14)) == ([1, 3, 4], [1, 3, 4], [3, 4], [4])
    policy.require_acknowledgeable(1, versions[0].fingerprint, MONDAY)
    with pytest.raises(VersionReplaced, match="version 3"):
        policy.require_acknowledgeable(1, versions[0].fingerprint, MONDAY + timedelta(days=7))


class LifeOfAPolicy(RuleBasedStateMachine):
    """Administrators write and publish, reps acknowledge what they once read; texts are numbers."""

    @initialize()
    def begin(self) -> None:
        self.policy = Policy()
        self.now = MONDAY
        self.published: list[PolicyVersion] = []

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(text=st.integers(0, 3), days=st.none() | st.integers(-5, 5))
    def somebody_drafts(self, text: int, days: int | None) -> None:
        later = None if days is None else self.now + timedelta(days=days)
        self.policy = self.policy.write(Draft("x", str(text), Audience(), later))

    @rule()
    def somebody_publishes(self) -> None:
        draft = self.policy.draft
        if draft is None:
            with pytest.raises(NothingToPublish):
                self.policy.publish(self.now)
            return
        effective = max(self.now, draft.effective_from or self.now)
        if self.published and effective < self.published[-1].effective_from:
            with pytest.raises(EffectiveTooEarly):
                self.policy.publish(self.now)
            return
        self.policy, version = self.policy.publish(self.now)
        assert (version.text, version.effective_from) == (draft.text, effective)
        self.published.append(version)

    @precondition(lambda self: self.published)
    @rule(data=st.data())
    def a_rep_acknowledges(self, data: st.DataObject) -> None:
        read = data.draw(st.sampled_from(self.published))
        shown = data.draw(st.sampled_from(self.published))
        refusal = None
        moments = [one.effective_from for one in self.published[read.version :]]
        if any(moment <= max(self.now, read.effective_from) for moment in moments):
            refusal = VersionReplaced
        elif shown.fingerprint != read.fingerprint:
            refusal = OtherText
        if refusal is not None:
            with pytest.raises(refusal):
                self.policy.require_acknowledgeable(read.version, shown.fingerprint, self.now)
            return
        self.policy.require_acknowledgeable(read.version, shown.fingerprint, self.now)

    @invariant()
    def versions_are_numbered_and_take_effect_in_their_order(self) -> None:
        assert [version.version for version in self.published] == list(range(1, len(self.published) + 1))
        moments = [version.effective_from for version in self.published]
        assert moments == sorted(moments)
        assert self.policy.latest == (self.published[-1] if self.published else None)

    @invariant()
    def the_latest_that_has_taken_effect_is_in_force(self) -> None:
        begun = [one for one in self.published if one.effective_from <= self.now]
        assert self.policy.in_force(self.now) == (begun[-1] if begun else None)

    @invariant()
    def what_is_in_force_and_each_that_will_be_is_standing(self) -> None:
        moments = {self.now, *(one.effective_from for one in self.published if one.effective_from > self.now)}
        some_day = [self.policy.in_force(moment) for moment in sorted(moments)]
        assert list(self.policy.standing(self.now)) == [one for one in some_day if one is not None]


TestLifeOfAPolicy = LifeOfAPolicy.TestCase
TestLifeOfAPolicy.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)
