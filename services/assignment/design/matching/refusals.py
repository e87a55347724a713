"""What matchings refuse."""

from shared.runtime.refusals import Refusal


class RepsNotMatched(Refusal):
    """Matching ended without an answer, or took too long."""
