"""What activation and rollback refuse."""

from shared.runtime.refusals import Refusal


class PlanIncomplete(Refusal):
    """The gate: the plan has no territories, or no rules."""


class PlanNotLive(Refusal):
    """Only what is in force can be rolled back."""


class NothingToRollBack(Refusal):
    """The first plan ever has none before it."""


class LivePlanChanged(Refusal):
    """Another plan is live than the one the caller means to replace."""


class EffectiveAtNotNow(Refusal):
    """Only the very first activation may date back; none may lie ahead."""
