"""What design runs refuse."""

from shared.runtime.refusals import Refusal


class InvalidScenario(Refusal):
    """What is asked does not fit the plan, or itself; `errors` names each field and what to change."""


class DesignRunExists(Refusal):
    """The plan has a run of that name."""


class DesignRunEnded(Refusal):
    """There is nothing left to cancel."""


class DesignRunNotEnded(Refusal):
    """The run is still under way."""
