"""What asking for a fit is refused for."""

from shared.runtime.refusals import Refusal


class FitAlreadyQueued(Refusal):
    """A fit of this currency waits to be made; another would say the same."""


class CutOffInTheFuture(Refusal):
    """The cut-off lies after today: the orders until then are not known."""
