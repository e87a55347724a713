"""What goals refuse."""

from shared.runtime.refusals import Refusal


class GoalNotDraft(Refusal):
    """Only a draft changes or is activated."""


class GoalNotSmart(Refusal):
    """The SMART check found what must be mended first."""


class GoalClosed(Refusal):
    """The goal has come to its end."""


class GoalStillRuns(Refusal):
    """Its period is not over, or too short a time ago."""
