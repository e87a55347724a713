"""What is owed, and what time does to it. Pure.

open -> breached when the deadline passes; open and breached -> closed. Each step is taken once, none after
the end.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.collab.protocols.protocol import Action, Timer


class ObligationState(StrEnum):
    """Where it stands; what is breached is still owed."""

    OPEN = "open"
    BREACHED = "breached"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How it ended."""

    FULFILLED = "fulfilled"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Untold(StrEnum):
    """Why a step that tells somebody told nobody."""

    NOBODY_ABOVE = "nobody-above"


@dataclass(frozen=True, slots=True)
class Obligation:
    """Its state and the steps that are still to come, in their order."""

    state: ObligationState
    pending: tuple[Timer, ...]
    outcome: Outcome | None = None

    def advance(self, now: datetime) -> tuple["Obligation", tuple[Timer, ...]]:
        """Take every step whose time has come; return what it is then, and the steps taken."""
        if self.state is ObligationState.CLOSED:
            return self, ()
        taken = tuple(timer for timer in self.pending if timer.due_at <= now)
        breaks = any(timer.action is Action.BREACH for timer in taken)
        return (
            replace(
                self,
                state=ObligationState.BREACHED if breaks else self.state,
                pending=tuple(timer for timer in self.pending if timer.due_at > now),
            ),
            taken,
        )

    def close(self, outcome: Outcome) -> "Obligation":
        """End it, and with it the steps to come; what has ended stays as it ended."""
        if self.state is ObligationState.CLOSED:
            return self
        return Obligation(ObligationState.CLOSED, (), outcome)
