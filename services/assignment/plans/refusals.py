"""What plans refuse."""

from shared.runtime.refusals import Refusal


class PlanNotDraft(Refusal):
    """Only drafts change."""


class PlanAlreadyActive(Refusal):
    """The plan to be activated is the live one."""


class PlanExists(Refusal):
    """The id the caller chose for a new plan is taken."""


class PlanBusy(Refusal):
    """Another request has held the plan, or the live plan, for longer than is worth waiting."""

    passes = True
