"""What sizings refuse."""

from shared.runtime.refusals import Refusal


class SizingsBusy(Refusal):
    """As many sizings as may be worked out at once are under way, and were for as long as is worth waiting."""
