"""Bodies of the policy routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.collab.policies.policy import Audience, Draft
from services.collab.protocols.schemas import Code
from shared.http.bodies import Body, Instant, Name, Text, View

# As assignment tells coverages: whoever covers in no such role would never be asked.
Role = Literal["primary", "backup", "overlay", "holdover"]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class DraftBody(Body):
    """What the next version would say, and whom it would concern."""

    title: Name
    text: Text
    roles: tuple[Role, ...] = Field(
        default=(), max_length=20, description="Reps who cover in one of these roles; empty for all."
    )
    territory_id: UUID | None = Field(
        default=None, description="Reps who cover something in its subtree; null for all."
    )
    effective_from: Instant | None = Field(
        default=None, description="When it takes effect; null for when it is published."
    )

    def draft(self) -> Draft:
        """Return it."""
        audience = Audience(tuple(sorted(set(self.roles))), self.territory_id)
        return Draft(self.title, self.text, audience, self.effective_from)


class DraftView(View):
    """What the next version would say."""

    code: Code
    revision: int
    title: str
    text: str
    roles: list[str]
    territory_id: UUID | None
    effective_from: datetime | None


class PolicyView(View):
    """A policy. Its ETag is the revision: what is drafted and published counts it on."""

    code: Code
    policy_id: UUID
    revision: int
    latest_version: int | None
    version_in_force: int | None
    has_draft: bool


class PolicyVersionView(View):
    """A published version, which never changes; who acknowledges it sends the fingerprint back."""

    code: Code
    policy_id: UUID
    version: int
    title: str
    text: str
    fingerprint: str
    roles: list[str]
    territory_id: UUID | None
    effective_from: datetime
    in_force: bool
    published_at: datetime
    published_by: str


class AcknowledgementBody(Body):
    """The fingerprint of the version that was read."""

    fingerprint: Fingerprint


class AcknowledgementView(View):
    """Who acknowledged which version when."""

    rep_id: UUID
    version: int
    acknowledged_at: datetime


class OutstandingView(View):
    """Who has yet to acknowledge which versions, and a territory through which they concern them."""

    rep_id: UUID
    territory_id: UUID
    versions: list[int]
