"""What all of training refuses."""

from shared.runtime.refusals import Refusal


class DayAhead(Refusal):
    """What is recorded has happened: its day cannot lie ahead."""
