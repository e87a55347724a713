"""What shapes refuse."""

from shared.runtime.refusals import Refusal


class InvalidShapes(Refusal):
    """The document is no collection of shapes; `errors` names each place and what to change, and nothing was taken."""
