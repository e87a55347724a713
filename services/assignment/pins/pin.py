"""A pin: an account held in a territory of a plan by hand, whatever its rules say, until the pin expires. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.pins.refusals import PinExpired


@dataclass(frozen=True, slots=True)
class Pin:
    """Who is held where, why, on whose word and until when; without `expires_at` as long as the plan lives."""

    plan_id: UUID
    account_id: UUID
    territory_id: UUID
    reason: str
    owner_rep_id: UUID | None
    owner_subject: str | None
    expires_at: datetime | None
    pinned_at: datetime
    pinned_by: str

    def holds(self, at: datetime) -> bool:
        """Tell whether an account matched at this instant is held: up to the expiry, not on it."""
        return self.expires_at is None or at < self.expires_at


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Check that a pin would hold at all. Raises PinExpired."""
    if expires_at is not None and expires_at <= now:
        raise PinExpired("expires_at: lies in the past; name an instant ahead, or leave it out.")
