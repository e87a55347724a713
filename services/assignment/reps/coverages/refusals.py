"""What coverages refuse."""

from shared.runtime.refusals import Refusal


class CoverageOverlaps(Refusal):
    """Another rep covers the territory in that role from then on, or later."""


class RepAlreadyCovers(Refusal):
    """The rep covers the territory in that role as it is."""


class SharesExceedWhole(Refusal):
    """The reps of one role would have more than 100 % together."""


class CoverageEnds(Refusal):
    """The coverage ends then, or earlier."""


class NobodyHandsOver(Refusal):
    """There is no outgoing rep who could keep anything."""


class ValidFromAhead(Refusal):
    """A coverage begins now or began in the past."""


class ValidToPast(Refusal):
    """A coverage ends now or ahead, after it began."""


class UnknownRep(Refusal):
    """No rep has that id."""
