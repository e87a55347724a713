"""What the parts of a customer profile refuse alike."""

from shared.runtime.refusals import Refusal


class CapturedAhead(Refusal):
    """What is said to have been told lies in the future."""


class PeriodEndsTooSoon(Refusal):
    """A period has to last for some time."""
