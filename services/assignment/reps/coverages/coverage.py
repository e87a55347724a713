"""A coverage: a rep on a territory in a role, with a share, for a period."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Coverage:
    """A rep on a territory in a role, for a period; `valid_to` is None while it lasts."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    role: str
    share_percent: Decimal
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunningCoverage:
    """A rep who covers a territory now, by the id that the outside knows."""

    territory_id: UUID
    rep_id: UUID
    external_id: str
    role: str
