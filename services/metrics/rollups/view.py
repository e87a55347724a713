"""Whom a fact counts for: the two attributions that roll-ups are kept in. Pure."""

from enum import IntEnum
from typing import Literal, Self

ViewName = Literal["as_was", "as_is"]


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
