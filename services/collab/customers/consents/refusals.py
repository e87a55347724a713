"""Why a consent is not recorded."""

from shared.runtime.refusals import Refusal


class ConsentOverlaps(Refusal):
    """The same source says something else of the same from a later instant on."""


class TooManyConsents(Refusal):
    """So much was said of this account that something keeps saying it by mistake."""


class ConsentEndsTooSoon(Refusal):
    """A statement has to hold for some time."""
