"""Bodies of the goals routes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from services.metrics.goals.commands.keep_goal import CheckedGoal
from services.metrics.goals.pace import Progress
from services.metrics.goals.queries import GoalFound
from services.metrics.goals.smart import Finding, Letter, Severity
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import Direction, GoalTerms, Pacing
from services.metrics.rollups.view import ViewName
from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, Day, Name, Text, View

# As wide as the sums it is held against, and not wider than what a number of the database holds.
Amount = Annotated[
    PlainDecimal, Field(gt=Decimal("-1e15"), lt=Decimal("1e15"), max_digits=21, decimal_places=6)
]
_FIRST, _LAST = date(1990, 1, 1), date(2200, 1, 1)


class GoalBody(Body):
    """A goal as somebody thinks of it: what the SMART check misses may be left out of a draft."""

    title: Name
    metric_id: Annotated[str, Field(max_length=64, pattern="^[a-z-]+$")]
    view: ViewName = "as_was"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    territory_id: UUID
    owner: Name | None = Field(default=None, description="The one person who answers for it.")
    objective: Annotated[Text, Field(max_length=2000)] | None = Field(
        default=None, description="What it serves."
    )
    parent_goal_id: UUID | None = None
    direction: Direction = "up"
    baseline: Amount | None = Field(
        default=None, description="Where it stands now; what adds up, such as revenue, starts from nothing."
    )
    target: Amount
    first_day: Annotated[Day, Field(ge=_FIRST, le=_LAST)]
    end_day: Annotated[Day, Field(ge=_FIRST, le=_LAST, description="The day after the last, UTC.")]
    pacing: Pacing = "working_days"
    stretch: bool = False

    def terms(self) -> GoalTerms:
        """Return it as the goal's terms."""
        return GoalTerms(**{name: getattr(self, name) for name in type(self).model_fields})


class FindingView(View):
    """What the SMART check found, and the fix; `warn` does not stop an activation."""

    letter: Letter
    field: str
    code: str
    severity: Severity
    fix: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Show a finding."""
        return cls.model_validate(finding)


class GoalView(View):
    """A goal, its state, and what the worker saw last."""

    goal_id: UUID
    state: GoalState
    version: int
    title: str
    metric_id: str
    view: ViewName
    currency: str | None
    territory_id: UUID
    owner: str | None
    objective: str | None
    parent_goal_id: UUID | None
    direction: Direction
    baseline: PlainDecimal | None
    target: PlainDecimal
    first_day: date
    end_day: date
    pacing: Pacing
    stretch: bool
    created_at: datetime
    created_by: str
    at_risk: bool
    checked_at: datetime | None
    settled_value: PlainDecimal | None = Field(
        description="What was reached by what was told until two days after the period; progress has what came later."
    )

    @classmethod
    def of(cls, found: GoalFound) -> Self:
        """Show a goal."""
        return cls.model_validate(_members(found))


class CheckedGoalView(GoalView):
    """A goal with the findings of the SMART check."""

    findings: list[FindingView]

    @classmethod
    def of_checked(cls, checked: CheckedGoal) -> Self:
        """Show a goal that was checked."""
        findings = [FindingView.of(finding) for finding in checked.findings]
        return cls.model_validate({**_members(checked.found), "findings": findings})


def _members(found: GoalFound) -> dict[str, object]:
    goal = found.goal
    terms = {name: getattr(goal.terms, name) for name in GoalBody.model_fields}
    seen = {
        name: getattr(found, name)
        for name in ("created_at", "created_by", "at_risk", "checked_at", "settled_value")
    }
    return {"goal_id": goal.goal_id, "state": goal.state, "version": goal.version, **terms, **seen}


class ForecastView(View):
    """What to expect at the end: in 8 of 10 cases from `low` to `high`; null while too few periods are known."""

    low: PlainDecimal | None
    expected: PlainDecimal
    high: PlainDecimal | None


class ProgressView(View):
    """Where a goal stands now."""

    goal_id: UUID
    state: GoalState
    value: PlainDecimal | None
    due: PlainDecimal = Field(description="Where it should stand by now.")
    elapsed: PlainDecimal = Field(description="Which part of its days is over; today is not.")
    pace: PlainDecimal | None = Field(
        description="Value to due; under 0.85 it is at risk, from 0.95 on it recovers."
    )
    progress: PlainDecimal | None
    required_per_day: PlainDecimal | None
    forecast: ForecastView | None
    at_risk: bool

    @classmethod
    def of(cls, found: GoalFound, progress: Progress) -> Self:
        """Show progress."""
        forecast = progress.forecast
        return cls(
            goal_id=found.goal.goal_id,
            state=found.goal.state,
            value=progress.value,
            due=progress.due,
            elapsed=progress.elapsed,
            pace=progress.pace,
            progress=progress.progress,
            required_per_day=progress.required_per_day,
            forecast=None if forecast is None else ForecastView.model_validate(forecast),
            at_risk=found.at_risk,
        )
