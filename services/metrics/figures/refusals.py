"""What the figures refuse."""

from shared.runtime.refusals import Refusal


class EmptyPeriod(Refusal):
    """The period ends where it starts, or before."""


class TooManyRows(Refusal):
    """The answer would be too long to be of use."""
