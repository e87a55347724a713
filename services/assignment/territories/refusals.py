"""What territory trees refuse."""

from shared.runtime.refusals import Refusal


class InvalidTree(Refusal):
    """The territories do not form a tree; `errors` names each place."""


class TerritoryInUse(Refusal):
    """A territory to be removed still has children or rules, or accounts are held or placed in it."""
