"""What the gate refuses."""

from shared.runtime.refusals import Refusal


class GateRefused(Refusal):
    """Something about the plan lies beyond a limit that blocks."""


class OverrideNotAllowed(Refusal):
    """Only an administrator puts a plan in force against the gate."""
