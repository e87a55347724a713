"""A protocol's clock, moved by hypothesis: each step once, in time, none after the end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.collab.protocols.calendar_hours import week_of
from services.collab.protocols.obligations.obligation import Obligation, ObligationState, Outcome
from services.collab.protocols.protocol import (
    Action,
    ProtocolVersion,
    Step,
    Timer,
    Trigger,
    require_reminders_to_come,
    schedule,
)
from services.collab.protocols.refusals import ReminderNeverComes
from services.collab.protocols.working_hours import Unit, WorkingCalendar, WorkingTime

WEEK = week_of([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}])
CALENDAR = WorkingCalendar("UTC", WEEK)
FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
END = (Step(Action.ESCALATE), Step(Action.BREACH))


def protocol(due: WorkingTime, *steps: Step) -> ProtocolVersion:
    return ProtocolVersion("x", Trigger.HANDOFF_OPENED, "primary", due, "business", (*steps, *END), True)


UNEVEN = WorkingCalendar(
    "UTC",
    week_of(
        [
            {"days": ["mon", "wed"], "from": "08:00", "to": "12:00"},
            {"days": ["mon"], "from": "13:00", "to": "17:00"},
            {"days": ["sat"], "from": "10:00", "to": "12:00"},
        ]
    ),
)


@given(
    st.sampled_from([CALENDAR, UNEVEN]),
    st.builds(WorkingTime, st.integers(1, 30), st.sampled_from(Unit)),
    st.builds(WorkingTime, st.integers(1, 12), st.sampled_from(Unit)),
    st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_a_reminder_is_refused_where_no_start_has_it_come_as_often_as_it_says(
    calendar: WorkingCalendar, due: WorkingTime, after: WorkingTime, times: int
):
    """Against the clocks of a week, started at every full hour."""
    version = protocol(due, Step(Action.REMIND, after, times))
    starts = [FRIDAY + timedelta(hours=hours) for hours in range(7 * 24)]
    clocks = (schedule(version, calendar, start).timers for start in starts)
    if any(timer.loop == times and timer.action is Action.REMIND for clock in clocks for timer in clock):
        require_reminders_to_come(version, calendar)
    else:
        with pytest.raises(ReminderNeverComes, match="step 1 would remind"):
            require_reminders_to_come(version, calendar)


def test_a_reminder_comes_before_the_deadline_and_the_rest_with_it():
    version = protocol(WorkingTime(2, Unit.DAYS), Step(Action.REMIND, WorkingTime(4, Unit.HOURS), times=9))
    clock = schedule(version, CALENDAR, FRIDAY)
    assert clock.due_at == datetime(2026, 11, 24, 17, tzinfo=UTC)
    reminders = [timer.due_at for timer in clock.timers if timer.action is Action.REMIND]
    # An hour is left of Friday; the fifth time would be after Tuesday's work.
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert reminders == [
        monday,
        monday.replace(hour=16),
        monday.replace(day=24, hour=12),
        monday.replace(day=24, hour=16),
    ]
    assert [timer.action for timer in clock.timers[-2:]] == [Action.ESCALATE, Action.BREACH]
    assert {timer.due_at for timer in clock.timers[-2:]} == {clock.due_at}


STEPS = st.lists(
    st.builds(
        Step,
        st.just(Action.REMIND),
        st.builds(WorkingTime, st.integers(1, 12), st.sampled_from(Unit)),
        st.integers(1, 4),
    ),
    max_size=3,
)
DUE = st.builds(WorkingTime, st.integers(1, 12), st.sampled_from(Unit))


@settings(deadline=None, max_examples=80)
@given(STEPS, DUE, st.integers(0, 200))
def test_a_schedule_has_each_step_once_and_none_after_the_deadline(
    steps: list[Step], due: WorkingTime, hour: int
):
    started = FRIDAY + timedelta(hours=hour)
    clock = schedule(protocol(due, *steps), CALENDAR, started)
    names = [(timer.loop, timer.step) for timer in clock.timers]
    assert len(names) == len(set(names))
    for timer in clock.timers:
        assert started < timer.due_at <= clock.due_at
        assert (timer.due_at == clock.due_at) == (timer.action is not Action.REMIND)


class ClockOfAnObligation(RuleBasedStateMachine):
    """The worker looks when it likes, and whoever owes it ends it when they like."""

    @initialize(steps=STEPS, due=DUE)
    def open(self, steps: list[Step], due: WorkingTime) -> None:
        self.clock = schedule(protocol(due, *steps), CALENDAR, FRIDAY)
        self.owed = Obligation(ObligationState.OPEN, self.clock.timers)
        self.now = self.looked = FRIDAY
        self.history: list[Timer] = []
        self.ended: tuple[datetime, Outcome] | None = None

    @rule(hours=st.integers(0, 60))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_worker_looks(self) -> None:
        self.owed, taken = self.owed.advance(self.now)
        self.history += taken
        if self.ended is None:
            self.looked = self.now
        else:
            assert taken == ()

    @rule(outcome=st.sampled_from(Outcome))
    def it_ends(self, outcome: Outcome) -> None:
        self.owed = self.owed.close(outcome)
        self.ended = self.ended or (self.now, outcome)

    @invariant()
    def what_was_to_come_by_the_last_look_has_come_once_and_in_order(self) -> None:
        assert self.history == [timer for timer in self.clock.timers if timer.due_at <= self.looked]

    @invariant()
    def its_state_tells_what_happened(self) -> None:
        if self.ended is not None:
            assert (self.owed.state, self.owed.outcome) == (ObligationState.CLOSED, self.ended[1])
            assert self.owed.pending == ()
            return
        passed = self.looked >= self.clock.due_at
        assert self.owed.state is (ObligationState.BREACHED if passed else ObligationState.OPEN)
        assert set(self.owed.pending) | set(self.history) == set(self.clock.timers)


TestClockOfAnObligation = ClockOfAnObligation.TestCase
TestClockOfAnObligation.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)
