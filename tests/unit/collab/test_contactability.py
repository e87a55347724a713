"""Every combination of yes and no on four levels, and contact hours on the customer's own clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.collab.customers.channel import OPT_IN, Channel, Purpose
from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Statement, Target
from services.collab.customers.contacts.contactability import (
    Asked,
    Reason,
    Verdict,
    is_open,
    judge_contact,
    next_opening,
)
from services.collab.customers.preferences.preference import ContactHours, Weekday
from services.collab.customers.source import Source

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEFORE = AT - timedelta(days=30)
POINT = "phone-7"
EVERY_DAY = frozenset(Weekday)
YES, NO = ConsentState.GRANTED, ConsentState.DENIED
# Nothing said, a yes, a no, and two sources that disagree.
SAID: Sequence[tuple[ConsentState, ...]] = ((), (YES,), (NO,), (YES, NO))
TARGETS = {
    ConsentLevel.GLOBAL: Target(ConsentLevel.GLOBAL),
    ConsentLevel.CHANNEL: Target(ConsentLevel.CHANNEL, channel=Channel.PHONE),
    ConsentLevel.CONTACT_POINT: Target(ConsentLevel.CONTACT_POINT, contact_point=POINT),
    ConsentLevel.PURPOSE: Target(ConsentLevel.PURPOSE, purpose=Purpose.SERVICE),
}


def say(
    level: ConsentLevel, state: ConsentState, number: int = 1, *, target: Target | None = None
) -> Statement:
    return Statement(UUID(int=number), target or TARGETS[level], state, Source.CUSTOMER, BEFORE)


def judge(
    *statements: Statement,
    purpose: Purpose = Purpose.SERVICE,
    point: str | None = POINT,
    hours: ContactHours | None = None,
    at: datetime = AT,
) -> Verdict:
    return judge_contact(Asked(Channel.PHONE, purpose, at, point), statements, hours)


@pytest.mark.parametrize("purpose", [Purpose.SERVICE, Purpose.MARKETING])
def test_every_combination_of_words_on_four_levels(purpose: Purpose):
    """All 256, against the rule written out as a table of who decides."""
    targets = {**TARGETS, ConsentLevel.PURPOSE: Target(ConsentLevel.PURPOSE, purpose=purpose)}
    for everything, channel, point, what_for in product(SAID, repeat=4):
        words = dict(zip(ConsentLevel, (everything, channel, point, what_for), strict=True))
        statements = [
            say(level, state, 10 * rank + number, target=targets[level])
            for rank, (level, states) in enumerate(words.items())
            for number, state in enumerate(states)
        ]
        denied = NO in (*everything, *channel, *point, *what_for)
        asked_for = bool(what_for or everything)
        allowed = not denied and (asked_for or purpose not in OPT_IN)
        verdict = judge(*statements, purpose=purpose)
        assert verdict.allowed == allowed, (words, verdict)
        if NO in everything:
            assert verdict.reason is Reason.GLOBAL_DENIED
        if denied:
            assert verdict.statement is not None
            assert verdict.statement.state is NO
        if allowed and not any(words.values()):
            assert verdict == Verdict(Reason.NOT_OBJECTED)


@pytest.mark.parametrize("level", ConsentLevel)
def test_an_answer_that_is_owed_passes_every_no_but_only_as_service_and_in_contact_hours(level: ConsentLevel):
    no = say(level, NO)
    owed = Asked(Channel.PHONE, Purpose.SERVICE, AT, POINT, owed=True)
    assert judge_contact(owed, [no], None) == Verdict(Reason.ANSWERS_CUSTOMER)
    assert judge_contact(owed, [], None).reason is Reason.NOT_OBJECTED
    assert judge_contact(replace(owed, owed=False), [no], None).statement == no
    everything = say(ConsentLevel.GLOBAL, NO)
    for purpose in set(Purpose) - {Purpose.SERVICE}:
        denied = judge_contact(replace(owed, purpose=purpose), [everything], None)
        assert denied.reason is Reason.GLOBAL_DENIED
    asleep = ContactHours(EVERY_DAY, time(10), time(11), "UTC")
    assert judge_contact(owed, [no], asleep).reason is Reason.OUTSIDE_CONTACT_HOURS


def test_the_order_in_which_words_were_recorded_decides_nothing():
    words = [say(level, NO, number) for number, level in enumerate(ConsentLevel)]
    assert judge(*words) == judge(*words[::-1])


def test_a_global_no_beats_a_yes_to_the_purpose():
    verdict = judge(say(ConsentLevel.GLOBAL, NO), say(ConsentLevel.PURPOSE, YES, 2))
    assert (verdict.allowed, verdict.reason) == (False, Reason.GLOBAL_DENIED)


def test_a_no_to_the_contact_point_beats_a_yes_to_its_channel():
    no = judge(say(ConsentLevel.CHANNEL, YES), say(ConsentLevel.CONTACT_POINT, NO, 2))
    assert (no.allowed, no.reason) == (False, Reason.CONTACT_POINT_DENIED)
    other = judge(say(ConsentLevel.CHANNEL, YES), say(ConsentLevel.CONTACT_POINT, NO, 2), point="phone-8")
    assert other.reason is Reason.CONSENT_GRANTED


def test_a_yes_to_a_contact_point_does_not_open_a_blocked_channel():
    """A contact point has no channel: an e-mail address that once got a yes would open the phone."""
    words = (say(ConsentLevel.CHANNEL, NO), say(ConsentLevel.CONTACT_POINT, YES, 2))
    for point in (POINT, "phone-8", None):
        assert judge(*words, point=point).reason is Reason.CHANNEL_DENIED


def test_a_blocked_channel_stays_blocked_whatever_the_purpose():
    words = (say(ConsentLevel.CHANNEL, NO), say(ConsentLevel.PURPOSE, YES, 2))
    assert judge(*words).reason is Reason.CHANNEL_DENIED


def test_marketing_needs_a_yes_to_the_purpose_and_one_to_the_channel_is_none():
    assert judge(purpose=Purpose.MARKETING).reason is Reason.CONSENT_MISSING
    channel = say(ConsentLevel.CHANNEL, YES)
    assert judge(channel, purpose=Purpose.MARKETING).reason is Reason.CONSENT_MISSING
    yes = say(ConsentLevel.PURPOSE, YES, target=Target(ConsentLevel.PURPOSE, purpose=Purpose.MARKETING))
    assert judge(yes, purpose=Purpose.MARKETING).reason is Reason.CONSENT_GRANTED


@pytest.mark.parametrize(
    ("after", "in_force"), [(-1, False), (0, True), (3_599, True), (3_600, False), (7_200, False)]
)
def test_a_word_holds_from_its_first_moment_to_the_one_before_its_last(after: int, *, in_force: bool):
    no = Statement(
        UUID(int=1), TARGETS[ConsentLevel.GLOBAL], NO, Source.CUSTOMER, AT, AT + timedelta(hours=1)
    )
    assert judge(no, at=AT + timedelta(seconds=after)).allowed is not in_force


def test_words_on_other_channels_points_and_purposes_do_not_count():
    others = [
        Target(ConsentLevel.CHANNEL, channel=Channel.SMS),
        Target(ConsentLevel.CONTACT_POINT, contact_point="phone-8"),
        Target(ConsentLevel.PURPOSE, purpose=Purpose.SALES),
    ]
    words = [say(target.level, NO, number, target=target) for number, target in enumerate(others)]
    assert judge(*words) == Verdict(Reason.NOT_OBJECTED)


TOKYO = ContactHours(EVERY_DAY, time(8), time(22), "Asia/Tokyo")


@pytest.mark.parametrize(
    ("utc", "allowed"),
    [("13:00", False), ("12:59", True), ("22:59", False), ("23:00", True), ("00:00", True)],
)
def test_quiet_hours_are_those_of_the_customer(utc: str, *, allowed: bool):
    """22 to 8 in Tokyo is 13 to 23 in Greenwich: the same call is fine at noon and not an hour later."""
    at = datetime.combine(AT.date(), time.fromisoformat(utc), UTC)
    verdict = judge(hours=TOKYO, at=at)
    assert verdict.allowed is allowed
    assert verdict.local_at == at.astimezone(ZoneInfo("Asia/Tokyo"))
    if not allowed:
        assert verdict.reason is Reason.OUTSIDE_CONTACT_HOURS
        assert verdict.allowed_from is not None
        assert verdict.allowed_from.astimezone(ZoneInfo("Asia/Tokyo")).time() == time(8)


def test_a_letter_wakes_nobody_and_a_no_goes_before_the_hours():
    at = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert judge_contact(Asked(Channel.POST, Purpose.SERVICE, at), [], TOKYO).allowed
    denied = judge(say(ConsentLevel.GLOBAL, NO), hours=TOKYO, at=at)
    assert (denied.reason, denied.allowed_from) == (Reason.GLOBAL_DENIED, None)


def test_hours_over_midnight_belong_to_the_day_they_begin_on():
    night = ContactHours(frozenset({Weekday.FRI}), time(22), time(2), "Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    assert is_open(night, datetime(2026, 11, 27, 23, 0, tzinfo=berlin))
    assert is_open(night, datetime(2026, 11, 28, 1, 59, tzinfo=berlin))
    assert not is_open(night, datetime(2026, 11, 28, 2, 0, tzinfo=berlin))
    assert not is_open(night, datetime(2026, 11, 27, 1, 0, tzinfo=berlin))
    assert not is_open(night, datetime(2026, 11, 28, 23, 0, tzinfo=berlin))


def test_an_hour_that_the_clock_leaves_out_opens_a_week_later():
    """In Berlin there is no half past two on 29 March 2026."""
    hours = ContactHours(frozenset({Weekday.SUN}), time(2), time(3), "Europe/Berlin")
    opening = next_opening(hours, datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    assert opening == datetime(2026, 4, 5, 0, 0, tzinfo=UTC)


def test_an_hour_that_the_clock_shows_twice_opens_twice():
    hours = ContactHours(frozenset({Weekday.SUN}), time(2, 15), time(2, 45), "Europe/Berlin")
    first = next_opening(hours, datetime(2026, 10, 24, 12, 0, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    again = next_opening(hours, datetime(2026, 10, 25, 0, 45, tzinfo=UTC))
    assert again == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 7, 30]))
any_hours = st.builds(
    ContactHours,
    st.frozensets(st.sampled_from(Weekday), min_size=1),
    clocks,
    clocks,
    # A whole hour back and forth, half an hour, and a day that was left out in 2011.
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
)
moments = st.integers(0, 274 * 86_400).map(
    lambda seconds: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@settings(max_examples=150, deadline=None)
@given(any_hours, moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(hours: ContactHours, at: datetime):
    opening = next_opening(hours, at)
    if opening is None:
        # Only an hour that a clock leaves out, on the one day asked for, makes a week without any.
        assert len(hours.days) == 1
        return
    assert opening >= at
    assert is_open(hours, opening)
    moment, step = at, timedelta(minutes=7)
    while moment < opening:
        assert not is_open(hours, moment)
        moment += step
    if opening > at:
        assert not is_open(hours, opening - timedelta(microseconds=1))
