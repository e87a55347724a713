"""Whom a fact counts for: the two attributions that roll-ups are kept in. Pure."""

from enum import IntEnum
from typing import Literal, Self

ViewName = Literal["as_was", "as_is"]
AskedView = Literal["as_was", "as_is", "as_planned"]
"""The third is worked out from the second when it is asked for, by a plan that is not in force."""


class RollupView(IntEnum):
    """Who held the account when it happened, or who holds it now; the number is the column's."""

    AS_WAS = 1
    AS_IS = 2

    @classmethod
    def named(cls, name: ViewName) -> Self:
        """Return the view that callers know by this name."""
        return cls[name.upper()]

    @property
    def label(self) -> ViewName:
        """Return the name that callers know it by."""
        return "as_was" if self is RollupView.AS_WAS else "as_is"
