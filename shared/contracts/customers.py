"""What collab publishes about customers: needs, preferences, consent, satisfaction; codes and numbers, never text."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.envelope import EventContract
from shared.contracts.words import one_of

CUSTOMERS = "collab.customer.events.v1"


class _Customer(EventContract):
    TOPIC: ClassVar[str] = CUSTOMERS

    account_id: UUID

    @property
    def key(self) -> str:
        """Order is kept per account."""
        return str(self.account_id)


class NeedChanged(_Customer):
    """A need was registered, or its status changed; `kind` is a code of the managed vocabulary."""

    TYPE: ClassVar[str] = "collab.customer.need-changed.v1"

    need_id: UUID
    kind: str
    status: str = one_of("open", "in_progress", "met", "dropped")
    changed_at: datetime


class PreferencesChanged(_Customer):
    """What a customer prefers, as resolved from everything that was told: all of it, null or empty if unknown.

    `channels` are codes, the preferred one first.
    """

    TYPE: ClassVar[str] = "collab.customer.preferences-changed.v1"

    language: str | None
    channels: tuple[str, ...]
    changed_at: datetime


class ConsentChanged(_Customer):
    """A customer's yes or no to being contacted was recorded; what it says holds in its period.

    What was said before for a part of that period holds in the rest, and is told once more where it resumes.
    """

    TYPE: ClassVar[str] = "collab.customer.consent-changed.v1"

    consent_id: UUID
    level: str = one_of("global", "channel", "contact_point", "purpose")
    channel: str | None
    purpose: str | None
    state: Literal["granted", "denied"]
    effective_from: datetime
    effective_to: datetime | None
    changed_at: datetime


class SatisfactionRecorded(_Customer):
    """A customer answered a survey: NPS from 0 to 10, CSAT from 1 to 5."""

    TYPE: ClassVar[str] = "collab.customer.satisfaction-recorded.v1"

    score_id: UUID
    kind: str = one_of("nps", "csat")
    score: int
    answered_at: datetime
