"""A customer's yes or no to being contacted, for everything or for a part of it, in a period. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.source import Source


class ConsentLevel(StrEnum):
    """How much a statement speaks of."""

    GLOBAL = "global"
    CHANNEL = "channel"
    CONTACT_POINT = "contact_point"
    PURPOSE = "purpose"


class ConsentState(StrEnum):
    """What was said."""

    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Target:
    """What a statement speaks of; of the three only the one that its level names is set."""

    level: ConsentLevel
    channel: Channel | None = None
    contact_point: str | None = None
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A yes or no that holds from an instant on, until another if there is one.

    `resumes` is the statement that holds again with this one, after a word that was said for some time has ended.
    """

    consent_id: UUID
    target: Target
    state: ConsentState
    source: Source
    effective_from: datetime
    effective_to: datetime | None = None
    resumes: UUID | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether the statement is in force."""
        return self.effective_from <= at and (self.effective_to is None or at < self.effective_to)

    @property
    def denies(self) -> bool:
        """Tell whether it is a no."""
        return self.state is ConsentState.DENIED


def statements_in_force(statements: Iterable[Statement], at: datetime) -> list[Statement]:
    """Return those that hold at an instant."""
    return [statement for statement in statements if statement.holds(at)]
