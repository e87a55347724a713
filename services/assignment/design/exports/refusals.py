"""What maps refuse."""

from shared.runtime.refusals import Refusal


class MapsBusy(Refusal):
    """A map is being drawn, and was for as long as is worth waiting."""


class MapNotDrawn(Refusal):
    """Drawing ended without a map, or took too long."""
