"""What the metrics refuse."""

from shared.runtime.refusals import Refusal


class UnknownMetric(Refusal):
    """No metric of the catalogue has this id."""


class PeriodOutOfRange(Refusal):
    """The period lies where no facts are kept."""
