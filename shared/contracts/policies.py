"""What collab publishes of protocols and policies: clocks that run, and who acknowledged what; ids, never text."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.envelope import EventContract

POLICIES = "collab.policy.events.v1"


class _Obligation(EventContract):
    TOPIC: ClassVar[str] = POLICIES

    obligation_id: UUID
    protocol_id: UUID
    protocol_version: int
    due_at: datetime

    @property
    def key(self) -> str:
        """Order is kept per obligation."""
        return str(self.obligation_id)


class ObligationOpened(_Obligation):
    """Something is owed by `due_at`; `rep_id` is who covered the territory then, null when nobody did."""

    TYPE: ClassVar[str] = "collab.obligation.opened.v1"

    duty: Literal["accept", "answer"]
    subject_id: UUID
    account_id: UUID
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
    """The nearest territory above that somebody covers is told, both null when there is none."""

    TYPE: ClassVar[str] = "collab.obligation.escalated.v1"

    territory_id: UUID | None
    rep_id: UUID | None
    escalated_at: datetime


class ObligationBreached(_Step):
    """The deadline passed, and what is owed was not done."""

    TYPE: ClassVar[str] = "collab.obligation.breached.v1"

    breached_at: datetime


class ObligationClosed(_Obligation):
    """Nothing is owed any more: it was done, declined, or what it was about is gone."""

    TYPE: ClassVar[str] = "collab.obligation.closed.v1"

    outcome: Literal["fulfilled", "declined", "withdrawn"]
    breached: bool
    closed_at: datetime
