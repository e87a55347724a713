"""Bodies of the contact routes."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.consent import ConsentLevel
from services.collab.customers.consents.schemas import ContactPoint
from services.collab.customers.contacts.contactability import Asked, Reason, Verdict
from services.collab.customers.contacts.queries import ContactKind
from shared.http.bodies import Body, Instant, View


class NewContactBody(Body):
    """A contact that is planned, was made to the customer, or was received from them."""

    kind: ContactKind
    channel: Channel
    purpose: Purpose
    contact_point: ContactPoint | None = None
    at: Instant | None = Field(default=None, description="Now, when left out.")


class ContactView(View):
    """A contact, and why it was allowed; null where the customer made it."""

    contact_id: UUID
    account_id: UUID
    kind: ContactKind
    channel: Channel
    purpose: Purpose
    contact_point: str | None
    at: datetime
    reason: Reason | None
    logged_at: datetime
    logged_by: str


class ContactabilityView(View):
    """Whether a customer may be contacted, and what decided.

    `allowed_from` is set when it is only the contact hours that deny. `local_at` is the moment on the
    customer's clock, null when nobody told which that is.
    """

    account_id: UUID
    decision: Literal["allow", "deny"]
    reason: Reason
    level: ConsentLevel | None
    consent_id: UUID | None
    channel: Channel
    purpose: Purpose
    contact_point: str | None
    at: datetime
    local_at: str | None
    allowed_from: datetime | None

    @classmethod
    def of(cls, account_id: UUID, asked: Asked, verdict: Verdict) -> Self:
        """Show a verdict."""
        statement = verdict.statement
        return cls(
            account_id=account_id,
            decision="allow" if verdict.allowed else "deny",
            reason=verdict.reason,
            level=None if statement is None else statement.target.level,
            consent_id=None if statement is None else statement.consent_id,
            channel=asked.channel,
            purpose=asked.purpose,
            contact_point=asked.contact_point,
            at=asked.at,
            local_at=None if verdict.local_at is None else verdict.local_at.isoformat(),
            allowed_from=verdict.allowed_from,
        )
