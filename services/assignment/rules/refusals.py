"""What rules refuse."""

from shared.runtime.refusals import Refusal


class InvalidRules(Refusal):
    """Rules that could not be matched as written; `errors` names each place."""
