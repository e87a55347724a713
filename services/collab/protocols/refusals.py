"""Why something is not done with a protocol."""

from shared.runtime.refusals import Refusal


class UnknownCalendar(Refusal):
    """A protocol counts in a calendar that there is not."""
