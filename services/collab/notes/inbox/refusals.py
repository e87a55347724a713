"""What inboxes refuse."""

from shared.runtime.refusals import Refusal


class NobodyAsked(Refusal):
    """An acknowledgement is asked for, and nobody is mentioned who can be reached."""


class NotWanted(Refusal):
    """Nobody asked for an acknowledgement."""
