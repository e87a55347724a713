"""What shapes refuse."""

from shared.runtime.refusals import Refusal


class InvalidShapes(Refusal):
    """The document is no collection of shapes; `errors` names each place and what to change, and nothing was taken."""


class ShapesBusy(Refusal):
    """Shapes are being read, and were for as long as is worth waiting."""


class ShapesNotRead(Refusal):
    """Reading ended without an answer, or took too long; nothing was taken."""
