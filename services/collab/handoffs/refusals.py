"""Why something is not done with a handoff."""

from shared.runtime.refusals import Refusal


class NotTheReceivingSide(Refusal):
    """Whether and how an account is taken over is for the side that got it."""


class HandoffAlreadyDecided(Refusal):
    """Only a handoff that is sent can be accepted or rejected."""


class HandoffNotAccepted(Refusal):
    """Only an accepted handoff can be completed."""


class ChecklistIncomplete(Refusal):
    """Items are still open."""


class HandoffClosed(Refusal):
    """What was rejected, done or superseded keeps its checklist; what was done or superseded stays for good."""
