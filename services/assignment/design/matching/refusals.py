"""What matchings refuse."""

from shared.runtime.refusals import Refusal


class RepsNotMatched(Refusal):
    """Matching ended without an answer, or took too long."""


class MatchingsBusy(Refusal):
    """Reps are being matched, and were for as long as is worth waiting."""
