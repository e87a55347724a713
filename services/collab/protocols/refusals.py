"""Why something is not done with a protocol."""

from shared.runtime.refusals import Refusal


class UnknownCalendar(Refusal):
    """A protocol counts in a calendar that there is not."""


class ReminderNeverComes(Refusal):
    """Whenever the clock starts, the deadline comes before the reminder."""
