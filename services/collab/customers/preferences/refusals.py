"""Why a preference is not recorded."""

from shared.runtime.refusals import Refusal


class TooManyObservations(Refusal):
    """So much was told of this account that something keeps telling it by mistake."""
