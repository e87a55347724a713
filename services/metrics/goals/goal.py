"""A goal: its terms, and the states it goes through. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from services.metrics.goals.refusals import GoalClosed, GoalNotDraft, GoalNotSmart, GoalStillRuns
from services.metrics.goals.smart import Finding, failures
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import GoalTerms

# What was sold in the last hours is told later, and first corrections come with it.
SETTLES_AFTER = timedelta(days=2)
Outcome = Literal[GoalState.ACHIEVED, GoalState.MISSED]


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal in a state."""

    goal_id: UUID
    terms: GoalTerms
    state: GoalState
    version: int

    @property
    def settles_on(self) -> date:
        """Return the day from which on it is settled."""
        return self.terms.end_day + SETTLES_AFTER

    def change(self, terms: GoalTerms) -> "Goal":
        """Give a draft other terms. Raises GoalNotDraft."""
        self._require_draft()
        return replace(self, terms=terms, version=self.version + 1)

    def activate(self, findings: Sequence[Finding]) -> "Goal":
        """Begin to follow it. Raises GoalNotDraft or GoalNotSmart."""
        self._require_draft()
        if failed := failures(findings):
            raise GoalNotSmart(
                "; ".join(f"{finding.field}: {finding.fix}" for finding in failed),
                findings=[finding.told() for finding in findings],
            )
        return self._in(GoalState.ACTIVE)

    def settle(self, value: Decimal | None, *, today: date) -> "Goal":
        """Close it by what was reached, days after its period is over. Raises GoalClosed or GoalStillRuns."""
        if self.state is not GoalState.ACTIVE:
            raise GoalClosed(f"The goal is {self.state}; only an active one is settled.")
        if today < self.settles_on:
            raise GoalStillRuns(f"The goal is settled on {self.settles_on}.")
        return self._in(
            GoalState.ACHIEVED if self.terms.is_met(value, self.terms.target) else GoalState.MISSED
        )

    def cancel(self) -> "Goal":
        """Give it up. Raises GoalClosed."""
        if self.state not in {GoalState.DRAFT, GoalState.ACTIVE}:
            raise GoalClosed(f"The goal is {self.state} for good.")
        return self._in(GoalState.CANCELLED)

    def _in(self, state: GoalState) -> "Goal":
        return replace(self, state=state, version=self.version + 1)

    def _require_draft(self) -> None:
        if self.state is not GoalState.DRAFT:
            raise GoalNotDraft(f"The goal is {self.state}; cancel it and draft another.")
