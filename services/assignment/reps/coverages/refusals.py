"""What coverages refuse."""

from shared.runtime.refusals import Refusal


class CoverageOverlaps(Refusal):
    """Another rep covers the territory in that role from then on, or later."""


class RepAlreadyCovers(Refusal):
    """The rep covers the territory in that role as it is."""


class ValidFromAhead(Refusal):
    """A coverage begins now or began in the past."""


class UnknownRep(Refusal):
    """No rep has that id."""
