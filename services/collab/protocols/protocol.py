"""What a protocol says: which event starts a clock, what is owed, by when, and the steps on the way. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.collab.protocols.refusals import ReminderNeverComes
from services.collab.protocols.working_hours import (
    WorkingCalendar,
    WorkingTime,
    add_working_time,
    may_pass_before,
)


class Trigger(StrEnum):
    """What starts a clock."""

    HANDOFF_OPENED = "handoff-opened"
    CUSTOMER_CONTACTED = "customer-contacted"
    POLICY_PUBLISHED = "policy-published"


class Duty(StrEnum):
    """What is owed."""

    ACCEPT = "accept"
    ANSWER = "answer"
    ACKNOWLEDGE = "acknowledge"


DUTY_OF = {
    Trigger.HANDOFF_OPENED: Duty.ACCEPT,
    Trigger.CUSTOMER_CONTACTED: Duty.ANSWER,
    Trigger.POLICY_PUBLISHED: Duty.ACKNOWLEDGE,
}


class Action(StrEnum):
    """What a step does."""

    REMIND = "remind"
    ESCALATE = "escalate"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: so long after the start, or at the deadline; a reminder may come several times, evenly."""

    action: Action
    after: WorkingTime | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class ProtocolVersion:
    """What a version says. Written once; a change is another version."""

    name: str
    trigger: Trigger
    role: str
    due: WorkingTime
    calendar_code: str
    steps: tuple[Step, ...]
    active: bool

    @property
    def duty(self) -> Duty:
        """What is owed."""
        return DUTY_OF[self.trigger]


@dataclass(frozen=True, slots=True)
class Timer:
    """One step that is to be taken at an instant: for the `loop`-th time, from 1."""

    loop: int
    step: int
    action: Action
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """When it is due, and every step on the way in the order they are taken."""

    due_at: datetime
    timers: tuple[Timer, ...]


def schedule(protocol: ProtocolVersion, calendar: WorkingCalendar, started_at: datetime) -> Schedule:
    """Set the clock of a protocol that started at an instant; steps are numbered from 1."""
    due_at = add_working_time(calendar, started_at, protocol.due)
    timers = [
        timer
        for number, step in enumerate(protocol.steps, 1)
        for timer in _timers(number, step, calendar, started_at, due_at)
    ]
    return Schedule(due_at, tuple(sorted(timers, key=lambda timer: (timer.due_at, timer.step, timer.loop))))


def require_reminders_to_come(protocol: ProtocolVersion, calendar: WorkingCalendar) -> None:
    """Check that every reminder may come before the deadline, the last time of several too.

    Raises ReminderNeverComes.
    """
    for number, step in enumerate(protocol.steps, 1):
        if step.action is not Action.REMIND or step.after is None:
            continue
        last = step.after.times(step.times)
        if not may_pass_before(calendar, last, protocol.due):
            raise ReminderNeverComes(
                f"steps: step {number} would remind after {last.amount} {last.unit}, never before the deadline of "
                f"{protocol.due.amount} {protocol.due.unit}; lower its after or its times."
            )


def _timers(
    number: int, step: Step, calendar: WorkingCalendar, started_at: datetime, due_at: datetime
) -> list[Timer]:
    if step.after is None:
        return [Timer(1, number, step.action, due_at)]
    moments = [
        add_working_time(calendar, started_at, step.after.times(loop)) for loop in range(1, step.times + 1)
    ]
    # A reminder when time is up says nothing that the deadline does not say; other steps then come with it.
    return [
        Timer(loop, number, step.action, min(moment, due_at))
        for loop, moment in enumerate(moments, 1)
        if moment < due_at or step.action is not Action.REMIND
    ]
