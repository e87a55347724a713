"""Why a kind of need is not taken."""

from shared.runtime.refusals import Refusal


class UnknownNeedKind(Refusal):
    """The vocabulary has no such kind, or it was retired."""
