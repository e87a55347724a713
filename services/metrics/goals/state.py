"""Where a goal stands. Pure."""

from enum import StrEnum


class GoalState(StrEnum):
    """Where a goal stands; the last three are for good."""

    DRAFT = "draft"
    ACTIVE = "active"
    ACHIEVED = "achieved"
    MISSED = "missed"
    CANCELLED = "cancelled"
