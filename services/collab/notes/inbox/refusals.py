"""What inboxes refuse."""

from shared.runtime.refusals import Refusal


class NobodyCovers(Refusal):
    """A territory is mentioned that nobody covers as primary."""


class NobodyAsked(Refusal):
    """An acknowledgement is asked for, and nobody is mentioned who could give it."""


class NotWanted(Refusal):
    """Nobody asked for an acknowledgement."""
