"""What edits refuse."""

from shared.runtime.refusals import Refusal


class InvalidEdit(Refusal):
    """Some of the moves may not be made, so none was; `errors` names the row, a stable code, and why."""


class NothingToUndo(Refusal):
    """No edit is applied."""


class NothingToRedo(Refusal):
    """No edit is undone, or another was made since."""


class ProposalNotEditable(Refusal):
    """It was kept by a release that did not keep what scoring needs."""


class TooManyEdits(Refusal):
    """The proposal has been edited as often as one may be."""


class EditsBusy(Refusal):
    """Others edit, and nobody was done in time."""
