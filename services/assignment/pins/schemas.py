"""Bodies of pin requests and answers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, model_validator

from services.assignment.pins.pin import Pin
from shared.http.bodies import Body, Instant, Name, View
from shared.http.principal import MANAGERS, Principal


class PinBody(Body):
    """Where an account is held, why, on whose word and until when."""

    territory_id: UUID
    reason: Name = Field(description="Why; it is shown with the account's explanation.")
    owner_rep_id: UUID | None = Field(default=None, description="The rep who answers for the pin.")
    owner_subject: Name | None = Field(
        default=None,
        description="Or the subject of tokens who does, when it is no rep. Exactly one of the two.",
    )
    expires_at: Instant | None = Field(
        default=None, description="From then on the account is matched by rules again; never, when left out."
    )

    @model_validator(mode="after")
    def _one_owner(self) -> "PinBody":
        if (self.owner_rep_id is None) == (self.owner_subject is None):
            raise ValueError("owner_rep_id, owner_subject: name exactly one of them")
        return self


class PinView(View):
    """An account held in a territory of a plan."""

    account_id: UUID
    territory_id: UUID
    reason: str
    owner_rep_id: UUID | None
    owner_subject: str | None = Field(description="Null for viewers and contributors, as `pinned_by` is.")
    expires_at: datetime | None
    expired: bool
    pinned_at: datetime
    pinned_by: str | None

    @classmethod
    def of(cls, pin: Pin, by: Principal, now: datetime) -> "PinView":
        """Show a pin as far as the caller may see it."""
        told = bool(by.roles & MANAGERS)
        return cls(
            account_id=pin.account_id,
            territory_id=pin.territory_id,
            reason=pin.reason,
            owner_rep_id=pin.owner_rep_id,
            owner_subject=pin.owner_subject if told else None,
            expires_at=pin.expires_at,
            expired=not pin.holds(now),
            pinned_at=pin.pinned_at,
            pinned_by=pin.pinned_by if told else None,
        )
