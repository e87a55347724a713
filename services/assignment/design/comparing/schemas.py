"""Answers about a plan's scenarios side by side."""

from uuid import UUID

from pydantic import Field

from services.assignment.design.comparing.queries import ComparedRun, Comparison
from services.assignment.design.proposals.stale_view import StaleView
from services.assignment.design.runs.run import RunState
from services.assignment.design.runs.schemas import MeasureView, ScenarioView
from shared.http.bodies import View


class ComparedRunView(View):
    """A scenario beside others; of deviation, travel and disruption less is better."""

    run_id: UUID
    name: str
    scenario: ScenarioView
    state: RunState
    plan_version: int
    territories: int
    accounts: int
    moved_accounts: int
    edited_accounts: int = Field(
        description="Accounts moved by hand: all figures are of the proposal as it was edited."
    )
    deviation: float | None = Field(
        description="The worst of the shared measures; null where the scenarios balance nothing in common."
    )
    mean_km: float
    moved_share: float = Field(description="Of aligned accounts, even where the scenario counts revenue.")
    group: int = Field(
        description=(
            "Scenarios of one group are compared: the same territories, as many accounts, the same requirements, the same "
            "road factors."
        )
    )
    on_front: bool = Field(
        description="No other scenario of its group is as good in all three and better in one."
    )
    stale: StaleView

    @classmethod
    def of(cls, one: ComparedRun) -> "ComparedRunView":
        """Show a scenario."""
        return cls(
            run_id=one.run_id,
            name=one.name,
            scenario=ScenarioView.model_validate(one.scenario),
            state=one.state,
            plan_version=one.plan_version,
            territories=one.territories,
            accounts=one.accounts,
            moved_accounts=one.moved_accounts,
            edited_accounts=one.edited_accounts,
            deviation=one.standing.deviation,
            mean_km=one.standing.mean_km,
            moved_share=one.standing.moved,
            group=one.group,
            on_front=one.on_front,
            stale=StaleView.model_validate(one.stale),
        )


class ComparisonView(View):
    """A plan's scenarios side by side, the latest first."""

    plan_id: UUID
    shared_measures: list[MeasureView] = Field(
        description="What all of them balance, by which they are judged; tolerances are the latest scenario's."
    )
    runs: list[ComparedRunView]

    @classmethod
    def of(cls, plan_id: UUID, comparison: Comparison) -> "ComparisonView":
        """Show a comparison."""
        return cls(
            plan_id=plan_id,
            shared_measures=[MeasureView.model_validate(one) for one in comparison.shared_measures],
            runs=[ComparedRunView.of(one) for one in comparison.runs],
        )
