"""What proposals refuse."""

from shared.runtime.refusals import Refusal


class DesignRunWithoutProposal(Refusal):
    """The run is under way, or came to nothing."""


class UnknownTerritories(Refusal):
    """The proposal has nothing for some of the territories."""
