"""A handoff and what may be done with it. Pure.

sent -> accepted -> done; sent -> rejected; sent, rejected and accepted -> superseded by a later move of the account.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from services.collab.handoffs.checklist import ACCOUNT_V1, codes_of
from services.collab.handoffs.refusals import (
    ChecklistIncomplete,
    HandoffAlreadyDecided,
    HandoffClosed,
    HandoffNotAccepted,
)
from shared.runtime.refusals import NotFound


class HandoffState(StrEnum):
    """Where a handoff stands."""

    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DONE = "done"
    SUPERSEDED = "superseded"


UNDER_WAY = frozenset({HandoffState.SENT, HandoffState.ACCEPTED})
"""The outgoing side still owes the receiving one its knowledge."""

UNFINISHED = frozenset({HandoffState.SENT, HandoffState.REJECTED, HandoffState.ACCEPTED})
"""A later move of the account supersedes it."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """One account's passage from the side that knows it to the side that got it."""

    handoff_id: UUID
    account_id: UUID
    template: str
    state: HandoffState
    version: int
    done: frozenset[str]

    @classmethod
    def send(cls, handoff_id: UUID, account_id: UUID) -> "Handoff":
        """Begin one, measured by the checklist of today."""
        return cls(handoff_id, account_id, ACCOUNT_V1, HandoffState.SENT, 1, frozenset())

    def accept(self) -> "Handoff":
        """Take it on. Raises HandoffAlreadyDecided."""
        return self._decide(HandoffState.ACCEPTED)

    def reject(self) -> "Handoff":
        """Send it back. Raises HandoffAlreadyDecided."""
        return self._decide(HandoffState.REJECTED)

    def _decide(self, state: HandoffState) -> "Handoff":
        if self.state is not HandoffState.SENT:
            raise HandoffAlreadyDecided(f"The handoff is {self.state}; only a sent one can be decided.")
        return replace(self, state=state, version=self.version + 1)

    def supersede(self) -> "Handoff":
        """Let it go, because the account has moved on. Raises HandoffClosed."""
        if self.state not in UNFINISHED:
            raise HandoffClosed(f"The handoff is {self.state}; moves of the account leave it as it is.")
        return replace(self, state=HandoffState.SUPERSEDED, version=self.version + 1)

    def complete(self) -> "Handoff":
        """Finish it. Raises HandoffNotAccepted or ChecklistIncomplete."""
        if self.state is not HandoffState.ACCEPTED:
            raise HandoffNotAccepted(f"The handoff is {self.state}; accept it before completing it.")
        if missing := sorted(codes_of(self.template) - self.done):
            raise ChecklistIncomplete(f"checklist: still open: {', '.join(missing)}.", open_items=missing)
        return replace(self, state=HandoffState.DONE, version=self.version + 1)

    def tick(self, item: str, *, done: bool) -> "Handoff":
        """Mark an item done or open again; a repeat changes nothing. Raises NotFound or HandoffClosed."""
        if item not in codes_of(self.template):
            raise NotFound(f"item: the checklist has no {item}.")
        if self.state not in UNDER_WAY:
            raise HandoffClosed(f"The handoff is {self.state}; its checklist stays as it is.")
        if (item in self.done) == done:
            return self
        return replace(
            self, done=self.done | {item} if done else self.done - {item}, version=self.version + 1
        )
