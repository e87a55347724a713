"""What maps refuse."""

from shared.runtime.refusals import Refusal


class AccountsWithoutShape(Refusal):
    """Some accounts of the run lie in no shape; `errors` names what is missing."""


class MapsBusy(Refusal):
    """A map is being drawn, and was for as long as is worth waiting."""


class MapNotDrawn(Refusal):
    """Drawing ended without a map, or took too long."""
