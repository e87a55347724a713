"""What collab publishes of protocols and policies: clocks that run, and who acknowledged what; ids, never text."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import EventContract
from shared.contracts.words import one_of, perhaps_one_of

OBLIGATIONS = "collab.obligation.events.v1"
POLICIES = "collab.policy.events.v1"


class _Obligation(EventContract):
    TOPIC: ClassVar[str] = OBLIGATIONS

    obligation_id: UUID
    protocol_id: UUID
    protocol_version: int
    due_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per obligation."""
        return str(self.obligation_id)


class ObligationOpened(_Obligation):
    """Something is owed by `due_at`; `rep_id` is who owes it: who covered the territory then, null when nobody did.

    What a policy asks for is about no account.
    """

    TYPE: ClassVar[str] = "collab.obligation.opened.v1"

    duty: str = one_of("accept", "answer", "acknowledge")
    subject_id: UUID
    account_id: UUID | None
    territory_id: UUID | None
    rep_id: UUID | None
    started_at: datetime


class _Step(_Obligation):
    step: int
    loop: int


class ObligationReminded(_Step):
    """Whoever covers the territory now is reminded."""

    TYPE: ClassVar[str] = "collab.obligation.reminded.v1"

    rep_id: UUID | None
    reminded_at: datetime


class ObligationEscalated(_Step):
    """The nearest territory above that somebody covers is told; where there is none, both are null and it says so."""

    TYPE: ClassVar[str] = "collab.obligation.escalated.v1"

    territory_id: UUID | None
    rep_id: UUID | None
    untold_because: str | None = perhaps_one_of("nobody-above")
    escalated_at: datetime


class ObligationBreached(_Step):
    """The deadline passed, and what is owed was not done."""

    TYPE: ClassVar[str] = "collab.obligation.breached.v1"

    breached_at: datetime


class ObligationClosed(_Obligation):
    """Nothing is owed any more: it was done, declined, or what it was about is gone."""

    TYPE: ClassVar[str] = "collab.obligation.closed.v1"

    outcome: str = one_of("fulfilled", "declined", "withdrawn")
    breached: bool
    closed_at: datetime


class _PolicyEvent(EventContract):
    TOPIC: ClassVar[str] = POLICIES

    policy_id: UUID
    version: int

    @property
    def key(self) -> str:
        """Order is kept per policy."""
        return str(self.policy_id)


class PolicyPublished(_PolicyEvent):
    """A version is to be acknowledged by reps who cover in one of the roles, in the subtree; empty and null for all."""

    TYPE: ClassVar[str] = "collab.policy.published.v1"

    fingerprint: str
    roles: tuple[str, ...]
    territory_id: UUID | None
    effective_from: datetime
    published_at: datetime


class PolicyAcknowledged(_PolicyEvent):
    """A rep has read a version."""

    TYPE: ClassVar[str] = "collab.policy.acknowledged.v1"

    rep_id: UUID
    acknowledged_at: datetime
