"""What pins refuse."""

from shared.runtime.refusals import Refusal


class PinExpired(Refusal):
    """A pin that would not hold from the beginning."""


class UnknownOwner(Refusal):
    """No rep has the owner's id."""
