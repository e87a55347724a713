"""Bodies of the consent routes."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Target
from services.collab.customers.consents.queries import ConsentRow
from services.collab.customers.source import Source
from shared.http.bodies import Body, ExternalId, Instant, View

ContactPoint = Annotated[
    ExternalId,
    Field(
        description="Your id of an address or number, not the address itself: personal data stays with you."
    ),
]


class NewConsentBody(Body):
    """What a customer said about being contacted.

    Level `channel` goes with `channel`, `contact_point` with `contact_point`, `purpose` with `purpose`,
    `global` with none of them.
    """

    level: ConsentLevel
    channel: Channel | None = None
    contact_point: ContactPoint | None = None
    purpose: Purpose | None = None
    state: ConsentState
    source: Source = Source.CUSTOMER
    effective_from: Instant | None = Field(default=None, description="Now, when left out.")
    effective_to: Instant | None = Field(default=None, description="Until further notice, when left out.")

    @model_validator(mode="after")
    def _level_and_part_agree(self) -> Self:
        parts = {"channel": self.channel, "contact_point": self.contact_point, "purpose": self.purpose}
        given = {name for name, part in parts.items() if part is not None}
        wanted = {self.level.value} - {"global"}
        if given != wanted:
            needed = (
                f"{self.level} needs {self.level} and no other part" if wanted else "global takes no part"
            )
            raise ValueError(f"level: {needed} of channel, contact_point, purpose")
        return self

    def target(self) -> Target:
        """Return what the statement speaks of."""
        return Target(self.level, self.channel, self.contact_point, self.purpose)


class ConsentView(View):
    """A yes or no to being contacted; `in_force` tells of the moment of the answer."""

    consent_id: UUID
    level: ConsentLevel
    channel: Channel | None
    contact_point: str | None
    purpose: Purpose | None
    state: ConsentState
    source: Source
    effective_from: datetime
    effective_to: datetime | None
    resumes: UUID | None = Field(
        description="The statement that holds again with this one, after a word for some time; null for most."
    )
    withdrawn_at: datetime | None = Field(
        description="When another word took it back before it began; it never held."
    )
    in_force: bool
    recorded_at: datetime
    recorded_by: str

    @classmethod
    def of(cls, row: ConsentRow, now: datetime) -> Self:
        """Show a statement."""
        statement, target = row.statement, row.statement.target
        return cls(
            consent_id=statement.consent_id,
            level=target.level,
            channel=target.channel,
            contact_point=target.contact_point,
            purpose=target.purpose,
            state=statement.state,
            source=statement.source,
            effective_from=statement.effective_from,
            effective_to=statement.effective_to,
            resumes=statement.resumes,
            withdrawn_at=row.withdrawn_at,
            in_force=row.withdrawn_at is None and statement.holds(now),
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )
