"""What diffs refuse."""

from shared.runtime.refusals import Refusal


class DiffsBusy(Refusal):
    """As many diffs as may be computed at once are under way, and were for as long as is worth waiting."""
