"""A coverage: a rep on a territory in a role, with a share, for a period. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

WHOLE = Decimal(100)


class Role(StrEnum):
    """As what a rep covers a territory."""

    PRIMARY = "primary"
    BACKUP = "backup"
    OVERLAY = "overlay"
    HOLDOVER = "holdover"


ONE_AT_A_TIME = frozenset({Role.PRIMARY, Role.BACKUP})
"""Roles that one rep has at a time, so that who comes takes over. The others are shared, up to the whole."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A rep on a territory in a role, for a period; `valid_to` is None while no end is known."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    role: str
    share_percent: Decimal
    valid_from: datetime
    valid_to: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether it counts at an instant: from its beginning up to its end, not on it."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class RunningCoverage:
    """A rep who covers a territory now, by the id that the outside knows."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    external_id: str
    role: str
    share_percent: Decimal
    valid_from: datetime
    valid_to: datetime | None


def peak_share(coverages: Iterable[Coverage], *, since: datetime, until: datetime | None) -> Decimal:
    """Return the largest sum of shares that coverages reach together at any instant of a period."""
    several = list(coverages)
    # A sum rises only where a coverage begins.
    begins = {since} | {
        one.valid_from
        for one in several
        if one.valid_from > since and (until is None or one.valid_from < until)
    }
    return max(sum((one.share_percent for one in several if one.holds(at)), Decimal(0)) for at in begins)
